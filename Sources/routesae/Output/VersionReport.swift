import ActivationPipeline
import Foundation
import LinearAlgebra

/// What `routesae --version --verbose` prints: the version, the processor, and which kernels compute products on it.
enum VersionReport {
    /// Lines of "name: value", the version first.
    static var text: String {
        let products = ProductKernel.allCases.filter(\.isAvailable).map(\.rawValue)
        let halves = BF16Kernel.allCases.filter(\.isAvailable).map(\.rawValue)
        return """
            \(Software.version)
            processor: \(processor), \(Workers.processors) threads
            products of f32: \(ProductKernel.current.rawValue) of \(products.joined(separator: ", "))
            products of bf16: \(BF16Kernel.current.rawValue) of \(halves.joined(separator: ", "))
            """
    }

    private static var processor: String {
        let lines = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8))?.split(separator: "\n") ?? []
        let name = lines.first { $0.hasPrefix("model name") }?.split(separator: ":").last
        return name?.trimmingCharacters(in: .whitespaces) ?? "unknown"
    }
}
