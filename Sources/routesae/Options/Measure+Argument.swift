import ArgumentParser
import Evaluation

extension Measure: ExpressibleByArgument {}
extension TextLabel: ExpressibleByArgument {}
