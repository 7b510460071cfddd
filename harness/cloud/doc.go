// Package cloud is the client of CloudStack's API.
package cloud
