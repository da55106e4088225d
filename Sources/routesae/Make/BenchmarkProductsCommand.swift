import ActivationPipeline
import ArgumentParser
import Benchmarks
import LinearAlgebra
import TerminalOutput

struct BenchmarkProductsCommand: ParsableCommand {
    static let configuration = CommandConfiguration.verb(
        "products",
        abstract: "Time dense products by every kernel that this processor runs, and by other libraries.",
        discussion: """
            Without sizes it takes those of training and of forward passes. A product is [rows × inner] · \
            [columns × inner]ᵀ, of f32 or of bf16; the kernel that products use is marked, and ROUTESAE_KERNELS chooses \
            another (avx512bf16, avx512, avx2, baseline). OpenBLAS and oneDNN are timed where they are installed \
            (libopenblas0, libdnnl2).

            Examples:
              routesae benchmark products
              routesae benchmark products --rows 512 --columns 16384 --inner 2048 --repeats 9 --format json
            """)

    @Option(help: "Rows: tokens.") var rows: Int?
    @Option(help: "Columns: latents, or outputs of a layer.") var columns: Int?
    @Option(help: "The inner dimension: width of the input.") var inner: Int?
    @Option(help: "How often each is timed; the fastest counts.") var repeats = 5
    @OptionGroup var output: OutputOptions
    @OptionGroup var options: RunOptions

    /// Encoding, feed-forward and attention at the sizes of Llama-3.2-1B and of the shipped model, and decoding.
    private static let sizes = [
        (512, 16384, 2048), (512, 8192, 2048), (512, 2048, 8192), (512, 2048, 2048), (512, 4096, 256), (512, 4096, 64),
        (512, 256, 640), (256, 256, 32), (8, 8192, 2048), (2, 8192, 2048), (1, 8192, 2048), (1, 1024, 256),
    ]

    func run() throws {
        guard (1...1000).contains(repeats) else { throw WorkflowError.usage("--repeats has to be 1 … 1000") }
        for (name, value) in [("rows", rows), ("columns", columns), ("inner", inner)] {
            guard value.map({ (1...1 << 20).contains($0) }) ?? true else {
                throw WorkflowError.usage("--\(name) has to be 1 … \(1 << 20)")
            }
        }

        let sizes =
            rows == nil && columns == nil && inner == nil
            ? Self.sizes : [(rows ?? 512, columns ?? 2048, inner ?? 2048)]
        let progress = options.progress("timing")
        var lines: [[Cell]] = []
        for (number, (rows, columns, inner)) in sizes.enumerated() {
            let benchmark = ProductBenchmark(rows: rows, columns: columns, inner: inner, repeats: repeats)
            for result in benchmark.run(workers: options.workers) {
                lines.append([
                    Cell(rows), Cell(columns), Cell(inner), .text(result.precision.rawValue), .text(result.candidate),
                    .text(result.isUsed ? "yes" : ""), .real(result.gigaflops), Cell(options.workers.count),
                ])
            }
            progress.update(number + 1, of: sizes.count)
        }
        progress.finish()
        output.print(
            columns: ["rows", "columns", "inner", "precision", "kernel", "used", "gflops", "threads"], rows: lines)
    }
}
