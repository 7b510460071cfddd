package container

import "context"

// Check says whether an engine answers; it is a *NoEngineError when none does.
func Check(ctx context.Context) error {
	e, err := connect(ctx)
	if err != nil {
		return err
	}
	return e.Close()
}
