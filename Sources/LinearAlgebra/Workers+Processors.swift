import COpenBLAS
import Foundation

extension Workers {
    /// The number of processors this process may run on.
    public static var processors: Int { ProcessInfo.processInfo.activeProcessorCount }
}

/// Tells OpenBLAS once to leave threading to us: our workers call it from several threads, each on a tile of its own.
enum SingleThreadedBLAS {
    private static let told: Void = openblas_set_num_threads(1)

    static func ensure() {
        _ = told
    }
}
