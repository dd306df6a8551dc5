package main

import (
	"time"

	hessian "github.com/apache/dubbo-go-hessian2"
	"github.com/apache/dubbo-go-hessian2/java8_time"
	"github.com/apache/dubbo-go-hessian2/java_exception"
	big "github.com/dubbogo/gost/math/big"
)

// The classes of demo.Catalog and demo.Types as dubbo-go wants them declared.

type Maker struct {
	Name    string  `hessian:"name"`
	Country *string `hessian:"country"`
	Parent  *Maker  `hessian:"parent"`
}

func (*Maker) JavaClassName() string { return "demo.Maker" }

type Product struct {
	ID        int64               `hessian:"id"`
	Name      string              `hessian:"name"`
	Price     *big.Decimal        `hessian:"price"`
	Tags      []string            `hessian:"tags"`
	CreatedAt *java8_time.Instant `hessian:"createdAt"`
	UpdatedAt time.Time           `hessian:"updatedAt"`
	Stock     map[string]int32    `hessian:"stock"`
	Status    Status              `hessian:"status"`
	Maker     *Maker              `hessian:"maker"`
}

func (*Product) JavaClassName() string { return "demo.Product" }

type Point struct {
	X int32 `hessian:"x"`
	Y int32 `hessian:"y"`
}

func (*Point) JavaClassName() string { return "demo.Point" }

type Status hessian.JavaEnum

var statusNames = []string{"ACTIVE", "PREORDER", "DISCONTINUED"}

func (Status) JavaClassName() string { return "demo.Status" }

func (s Status) String() string { return statusNames[s] }

func (Status) EnumValue(name string) hessian.JavaEnum {
	for at, each := range statusNames {
		if each == name {
			return hessian.JavaEnum(at)
		}
	}
	return hessian.InvalidJavaEnum
}

type ProductNotFound struct {
	SerialVersionUID     int64
	DetailMessage        string
	SuppressedExceptions []java_exception.Throwabler
	StackTrace           []java_exception.StackTraceElement
	Cause                java_exception.Throwabler
	ProductID            int64 `hessian:"productId"`
}

func (*ProductNotFound) JavaClassName() string { return "demo.ProductNotFound" }

func (e *ProductNotFound) Error() string { return e.DetailMessage }

func (e *ProductNotFound) GetStackTrace() []java_exception.StackTraceElement { return e.StackTrace }

func init() {
	hessian.RegisterPOJO(&Maker{})
	hessian.RegisterPOJO(&Product{})
	hessian.RegisterPOJO(&Point{})
	hessian.RegisterPOJO(&ProductNotFound{})
	hessian.RegisterJavaEnum(Status(0))
}
