import ArgumentParser
import LinearAlgebra

extension Precision: ExpressibleByArgument {}
