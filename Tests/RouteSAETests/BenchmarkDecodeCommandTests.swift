import Foundation
import TestSupport
import Testing

@Suite struct BenchmarkDecodeCommandTests {
    @Test func decodingIsMeasured() throws {
        let model = repositoryFile("Demo/model")
        let directory = try TemporaryDirectory()
        let outcome = try Program.run(
            [
                "benchmark", "decode", "--model", model, "--prompt", "4", "--tokens", "4", "--repeats", "1",
                "--format", "json", "--quiet",
            ], in: directory)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let figures = try #require(try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
        let (token, read) = (figures["seconds_per_token"] as? Double ?? 0, figures["read_seconds"] as? Double ?? 0)
        #expect(token > 0 && read > 0 && abs((figures["ratio"] as? Double ?? 0) - token / read) < 1e-9)
        // 12.07 million weights, all but 8448 of them in matrices that stay bf16; the embedding is also the unembedding.
        #expect(figures["weight_bytes"] as? Int == 24_151_040)
        let long = ["benchmark", "decode", "--model", model, "--tokens", "600"]
        #expect(try Program.run(long, in: directory).status == 64)
    }
}
