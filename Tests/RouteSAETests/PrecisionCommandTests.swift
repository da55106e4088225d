import Foundation
import TestSupport
import Testing

@Suite struct PrecisionCommandTests {
    @Test("Kernels of both precisions are timed, and one form of each is used") func productsAreTimed() throws {
        let directory = try TemporaryDirectory()
        let outcome = try Program.run(
            [
                "benchmark", "products", "--rows", "5", "--columns", "70", "--inner", "33", "--repeats", "1",
                "--format", "json", "--quiet",
            ], in: directory)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let lines = try #require(
            try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [[String: Any]])
        for precision in ["f32", "bf16"] {
            let own = lines.filter { $0["precision"] as? String == precision }
            #expect(own.contains { $0["kernel"] as? String == "baseline packed" })
            let used = own.filter { $0["used"] as? String == "yes" }.compactMap { $0["kernel"] as? String }
            #expect(used.count == 2 && used[1] == used[0] + " packed")
            #expect(own.allSatisfy { ($0["gflops"] as? Double ?? 0) > 0 })
        }
    }

    @Test("--version --verbose names the kernels in use") func theVersionNamesTheKernels() throws {
        let directory = try TemporaryDirectory()
        let short = try Program.run(["--version"], in: directory)
        let long = try Program.run(["--version", "--verbose"], in: directory)
        #expect(long.status == 0 && long.output.hasPrefix(short.output))
        let lines = long.output.split(separator: "\n")
        #expect(lines.contains { $0.hasPrefix("products of f32: ") && $0.hasSuffix("baseline") })
        #expect(lines.contains { $0.hasPrefix("products of bf16: ") && $0.hasSuffix("baseline") })
    }

    @Test("A precision that there is not is refused") func unknownPrecision() throws {
        let directory = try TemporaryDirectory()
        let outcome = try Program.run(
            [
                "train", "c.sqlite", "--model", "m", "--text", "t", "--latents", "8", "--steps", "1", "--precision",
                "fp8",
            ],
            in: directory)
        #expect(outcome.status == 64)
        #expect(outcome.errors.contains("--precision") && outcome.errors.contains("bf16"))
    }
}
