// Hello by Go's net/http and net/http/fcgi: the first parameter is fcgi or http, the second unix or tcp, the third where.
package main

import (
	"fmt"
	"net"
	"net/http"
	"net/http/fcgi"
	"os"
)

func hello(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain")
	w.Header().Set("Content-Length", "12")
	w.Write([]byte("hello world\n"))
}

func main() {
	listener, err := net.Listen(os.Args[2], os.Args[3])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("listening go")
	if os.Args[1] == "fcgi" {
		err = fcgi.Serve(listener, http.HandlerFunc(hello))
	} else {
		err = http.Serve(listener, http.HandlerFunc(hello))
	}
	fmt.Fprintln(os.Stderr, err)
}
