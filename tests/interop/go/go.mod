module polyport/interop

go 1.19
