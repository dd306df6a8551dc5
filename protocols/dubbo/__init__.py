"""dubbo://, Apache Dubbo's native binary protocol with Hessian 2 bodies."""
