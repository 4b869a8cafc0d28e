// Go's httputil.ReverseProxy: the mount's prefix off, the caller's key off, the credential on.
//
//	peer LISTEN VENDOR [AUTHORITY]
//
// The number of workers is GOMAXPROCS.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"strings"
	"sync"
	"time"
)

const (
	mount      = "/passthrough/acme"
	credential = "Bearer s3cr3t"
)

// buffers are documented as what io.Copy takes while it copies bodies.
type buffers struct{ pool sync.Pool }

func (b *buffers) Get() []byte {
	if buffer, ok := b.pool.Get().(*[]byte); ok {
		return *buffer
	}
	return make([]byte, 32*1024)
}

func (b *buffers) Put(buffer []byte) { b.pool.Put(&buffer) }

func main() {
	listen, vendor := os.Args[1], os.Args[2]
	transport := &http.Transport{
		// Its defaults keep 2 connections for each host, and ask for gzip.
		MaxIdleConns:        64,
		MaxIdleConnsPerHost: 64,
		IdleConnTimeout:     time.Hour,
		DisableCompression:  true,
	}
	scheme, host := "http", vendor
	if len(os.Args) > 3 {
		authority, err := os.ReadFile(os.Args[3])
		if err != nil {
			log.Fatal(err)
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(authority)
		transport.TLSClientConfig = &tls.Config{RootCAs: roots}
		transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, vendor)
		}
		_, port, _ := net.SplitHostPort(vendor)
		scheme, host = "https", "vendor.test:"+port
	}
	proxy := &httputil.ReverseProxy{
		Director: func(request *http.Request) {
			request.URL.Scheme = scheme
			request.URL.Host = host
			request.Host = host
			request.URL.Path = strings.TrimPrefix(request.URL.Path, mount)
			request.URL.RawPath = ""
			request.Header.Del("X-Api-Key")
			request.Header.Set("Authorization", credential)
			// Documented: it keeps the caller's address out.
			request.Header["X-Forwarded-For"] = nil
		},
		Transport:  transport,
		BufferPool: &buffers{},
	}
	log.Fatal((&http.Server{Addr: listen, Handler: proxy}).ListenAndServe())
}
