import Foundation

extension Workers {
    /// The number of processors this process may run on.
    package static var processors: Int { ProcessInfo.processInfo.activeProcessorCount }
}
