"""The registry of ZooKeeper, in the layout of Dubbo. Needs the package kazoo (`polyport[zookeeper]`)."""
