package main

import (
	"context"
	"errors"

	"polyport.interop/thrift/demo"
)

// typesHandler gives back what it is given.
type typesHandler struct{}

func (typesHandler) EchoBool(_ context.Context, value bool) (bool, error)       { return value, nil }
func (typesHandler) EchoBoxedBool(_ context.Context, value bool) (bool, error)  { return value, nil }
func (typesHandler) EchoI8(_ context.Context, value int8) (int8, error)         { return value, nil }
func (typesHandler) EchoI16(_ context.Context, value int16) (int16, error)      { return value, nil }
func (typesHandler) EchoI32(_ context.Context, value int32) (int32, error)      { return value, nil }
func (typesHandler) EchoI64(_ context.Context, value int64) (int64, error)      { return value, nil }
func (typesHandler) EchoBoxedI8(_ context.Context, value int8) (int8, error)    { return value, nil }
func (typesHandler) EchoBoxedI16(_ context.Context, value int16) (int16, error) { return value, nil }
func (typesHandler) EchoBoxedI32(_ context.Context, value int32) (int32, error) { return value, nil }
func (typesHandler) EchoBoxedI64(_ context.Context, value int64) (int64, error) { return value, nil }
func (typesHandler) EchoF32(_ context.Context, value float64) (float64, error)  { return value, nil }
func (typesHandler) EchoF64(_ context.Context, value float64) (float64, error)  { return value, nil }
func (typesHandler) EchoBoxedF32(_ context.Context, value float64) (float64, error) {
	return value, nil
}
func (typesHandler) EchoBoxedF64(_ context.Context, value float64) (float64, error) {
	return value, nil
}
func (typesHandler) EchoBigint(_ context.Context, value string) (string, error)    { return value, nil }
func (typesHandler) EchoDecimal(_ context.Context, value string) (string, error)   { return value, nil }
func (typesHandler) EchoChar(_ context.Context, value string) (string, error)      { return value, nil }
func (typesHandler) EchoBoxedChar(_ context.Context, value string) (string, error) { return value, nil }
func (typesHandler) EchoString(_ context.Context, value string) (string, error)    { return value, nil }
func (typesHandler) EchoBytes(_ context.Context, value []byte) ([]byte, error)     { return value, nil }
func (typesHandler) EchoDate(_ context.Context, value string) (string, error)      { return value, nil }
func (typesHandler) EchoTime(_ context.Context, value string) (string, error)      { return value, nil }
func (typesHandler) EchoDatetime(_ context.Context, value int64) (int64, error)    { return value, nil }
func (typesHandler) EchoJavaDate(_ context.Context, value int64) (int64, error)    { return value, nil }
func (typesHandler) EchoLocalDatetime(_ context.Context, value string) (string, error) {
	return value, nil
}
func (typesHandler) EchoDuration(_ context.Context, value string) (string, error)  { return value, nil }
func (typesHandler) EchoUUID(_ context.Context, value string) (string, error)      { return value, nil }
func (typesHandler) EchoIntList(_ context.Context, value []int32) ([]int32, error) { return value, nil }
func (typesHandler) EchoLongList(_ context.Context, value []int64) ([]int64, error) {
	return value, nil
}
func (typesHandler) EchoStringList(_ context.Context, value []string) ([]string, error) {
	return value, nil
}
func (typesHandler) EchoNestedList(_ context.Context, value [][]string) ([][]string, error) {
	return value, nil
}
func (typesHandler) EchoStringSet(_ context.Context, value []string) ([]string, error) {
	return value, nil
}
func (typesHandler) EchoLongSet(_ context.Context, value []int64) ([]int64, error) { return value, nil }
func (typesHandler) EchoStringMap(_ context.Context, value map[string]int64) (map[string]int64, error) {
	return value, nil
}
func (typesHandler) EchoIntMap(_ context.Context, value map[int32]string) (map[int32]string, error) {
	return value, nil
}
func (typesHandler) EchoEnumMap(_ context.Context, value map[demo.Status]string) (map[demo.Status]string, error) {
	return value, nil
}
func (typesHandler) EchoStructMap(_ context.Context, value map[*demo.Point]string) (map[*demo.Point]string, error) {
	return value, nil
}
func (typesHandler) EchoNestedMap(_ context.Context, value map[string][]*demo.Maker) (map[string][]*demo.Maker, error) {
	return value, nil
}
func (typesHandler) EchoIntArray(_ context.Context, value []int32) ([]int32, error) {
	return value, nil
}
func (typesHandler) EchoLongArray(_ context.Context, value []int64) ([]int64, error) {
	return value, nil
}
func (typesHandler) EchoDoubleArray(_ context.Context, value []float64) ([]float64, error) {
	return value, nil
}
func (typesHandler) EchoStringArray(_ context.Context, value []string) ([]string, error) {
	return value, nil
}
func (typesHandler) EchoMakerArray(_ context.Context, value []*demo.Maker) ([]*demo.Maker, error) {
	return value, nil
}
func (typesHandler) EchoEnum(_ context.Context, value demo.Status) (demo.Status, error) {
	return value, nil
}
func (typesHandler) EchoStruct(_ context.Context, value *demo.Maker) (*demo.Maker, error) {
	return value, nil
}
func (typesHandler) EchoEverything(_ context.Context, value *demo.Everything) (*demo.Everything, error) {
	return value, nil
}
func (typesHandler) EchoAny(_ context.Context, value string) (string, error)      { return value, nil }
func (typesHandler) EchoNullable(_ context.Context, value string) (string, error) { return value, nil }
func (typesHandler) EchoNothing(context.Context) error                            { return nil }
func (typesHandler) EchoAttachments(context.Context, string) (string, error)      { return "", nil }

func (typesHandler) FailDeclared(_ context.Context, message string) (string, error) {
	country := "US"
	return "", &demo.TypesFailure{Message: &message, Code: 42, Culprit: &demo.Maker{Name: "Acme", Country: &country}}
}

func (typesHandler) FailUndeclared(_ context.Context, message string) (string, error) {
	return "", errors.New(message)
}
