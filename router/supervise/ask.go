//go:build linux

package supervise

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"time"
)

// Ask sends one command to the admin socket and gives the whole answer.
func Ask(ctx context.Context, socket, command string) (answer string, err error) {
	conn, err := new(net.Dialer).DialContext(ctx, "unix", socket)
	if err != nil {
		return "", err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer func() {
		stop()
		err = errors.Join(err, conn.Close())
	}()
	if _, err := io.WriteString(conn, command+"\n"); err != nil {
		return "", errors.Join(ctx.Err(), err)
	}
	data, err := io.ReadAll(bufio.NewReader(conn))
	if err != nil {
		return "", errors.Join(ctx.Err(), err)
	}
	return string(data), nil
}
