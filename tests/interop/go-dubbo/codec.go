package main

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"os"

	hessian "github.com/apache/dubbo-go-hessian2"
)

// recode reads values as lines of hexadecimal Hessian 2, and prints for each what dubbo-go-hessian2 writes of what it
// read, or `! why`. Nothing but that codec takes part.
func recode() error {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		data, err := hex.DecodeString(lines.Text())
		if err != nil {
			return err
		}
		written, err := recoded(data)
		if err != nil {
			fmt.Printf("! %.200q\n", err)
		} else {
			fmt.Printf("%x\n", written)
		}
	}
	return lines.Err()
}

func recoded(data []byte) (written []byte, err error) {
	defer func() {
		if trouble := recover(); trouble != nil {
			err = fmt.Errorf("panic: %v", trouble)
		}
	}()
	value, err := hessian.NewDecoder(data).Decode()
	if err != nil {
		return nil, err
	}
	encoder := hessian.NewEncoder()
	err = encoder.Encode(value)
	return encoder.Buffer(), err
}
