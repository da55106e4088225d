import Foundation
import TestSupport
import Testing

@Suite struct DemoCommandTests {
    @Test func theWholeJobEndsInASummaryAndOneFile() throws {
        let directory = try TemporaryDirectory()
        let arguments = [
            "demo", "--assets", repositoryFile("Demo"), "--latents", "256", "--k", "16", "--tokens", "40960",
            "--batch-tokens", "2048", "--sample", "12",
        ]
        let outcome = try Program.run(arguments, in: directory)
        #expect(outcome.status == 0, "\(outcome.errors)")
        for part in [
            "Loss (NormMSE) by step", "explained variance, held-out", "Where the router sends the tokens",
            "interpretable by the paper's count", "sampled features that span two", "Good features, with the strongest",
            "routesae feature demo.sqlite",
        ] {
            #expect(outcome.output.contains(part), "\(part)")
        }

        let left = try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted()
        #expect(left == ["demo.sqlite", "stderr.log", "stdout.log"])
        // The file is not replaced unasked.
        let again = try Program.run(arguments, in: directory)
        #expect(again.status == 73)
        #expect(try Program.run(["verify", "demo.sqlite"], in: directory).status == 0)
    }
}
