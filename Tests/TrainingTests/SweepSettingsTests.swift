import ActivationPipeline
import Foundation
import SparseCoding
import TestSupport
import Testing
import Training
import Vocabulary

@Suite struct SweepSettingsTests {
    private func read(
        _ json: String, given: SettingsDocument = SettingsDocument()
    ) throws -> [TrainingSettings] {
        let directory = try TemporaryDirectory()
        let path = directory.file("sweep.json")
        try json.write(toFile: path, atomically: true, encoding: .utf8)
        return try SweepSettings.read(file: path, given: given)
    }

    @Test("Lists stand for every combination") func listsStandForEveryCombination() throws {
        let settings = try read(
            """
            {"model": "m", "text": ["t"], "tokens": 1000, "latents": 64, "layers": [1, 2, 3], "seed": 5,
             "dictionaries": [
               {"architecture": "route", "k": [4, 8], "seed": [0, 1]},
               {"architecture": "topk", "layer": [1, 2], "k": 4},
               {"architecture": "vanilla", "layer": 3, "lambda": [1, 2.5]}]}
            """)
        #expect(
            settings.map(\.name) == [
                "route-m64-k4-hard-sum-s0", "route-m64-k4-hard-sum-s1", "route-m64-k8-hard-sum-s0",
                "route-m64-k8-hard-sum-s1", "topk-l1-m64-k4", "topk-l2-m64-k4", "vanilla-l3-m64-lambda1.0",
                "vanilla-l3-m64-lambda2.5",
            ])
        #expect(settings.map(\.k) == [4, 4, 8, 8, 4, 4, nil, nil])
        #expect(settings.map(\.seed) == [0, 1, 0, 1, 5, 5, 5, 5])
        #expect(settings.map(\.layers) == [[1, 2, 3], [1, 2, 3], [1, 2, 3], [1, 2, 3], [1], [2], [3], [3]])
        #expect(settings.allSatisfy { $0.streamSeed == 5 && $0.tokens == 1000 && $0.model == "m" && $0.latents == 64 })
    }

    @Test(
        "The former key 'layer' means the same as 'layers'",
        arguments: [
            (#""layers": 3"#, #""layer": 3"#), (#""layers": [[1], [3]]"#, #""layer": [1, 3]"#),
            (#""layers": [3]"#, #""layers": 3"#), (#""layers": [[1], 3]"#, #""layers": [1, [3]]"#),
        ])
    func layersInAllForms(present: String, former: String) throws {
        func sweep(_ layers: String) throws -> [TrainingSettings] {
            try read(#"{"latents": 8, "dictionaries": [{"architecture": "topk", "k": [2, 4], \#(layers)}]}"#)
        }
        #expect(try sweep(present) == sweep(former))
        #expect(try sweep(present).allSatisfy { $0.layers?.count == 1 })
    }

    @Test("The command line overrides the file") func theCommandLineStandsAbove() throws {
        var given = SettingsDocument()
        try given.set("model", "other")
        try given.set("steps", 7)
        let settings = try read(
            #"{"model": "m", "text": ["t"], "tokens": 10, "latents": 8, "dictionaries": [{"k": 2}]}"#, given: given)
        #expect(settings.count == 1 && settings[0].model == "other")
        #expect(settings[0].steps == 7 && settings[0].tokens == nil && settings[0].architecture == .route)
    }

    @Test("null means not given") func nullIsNotGiven() throws {
        let settings = try read(
            #"{"layers": null, "latents": 8, "streamSeed": null, "dictionaries": [{"k": 2, "layer": null}]}"#)
        #expect(settings[0].layers == nil && settings[0].streamSeed == 0)
    }

    @Test(
        "Invalid settings are named",
        arguments: [
            ("[]", "is not a JSON object"),
            (#"{"latents": 8}"#, "has no list 'dictionaries'"),
            (#"{"dictionaries": []}"#, "has no list 'dictionaries'"),
            (#"{"dictionaries": [3]}"#, "has no list 'dictionaries'"),
            (#"{"dictionaries": [{"k": 2}]}"#, "dictionary entry 1 has no key 'latents'"),
            (#"{"latents": 8, "dictionaries": [{"k": 2}, {"kk": 2}]}"#, "dictionary entry 2 has a key 'kk'"),
            (#"{"latents": 8, "dictionaries": [{"tokens": 2}]}"#, "'tokens', which decides the stream"),
            (#"{"latents": 8, "dictionaries": [{"k": []}]}"#, "has an empty list for 'k'"),
            (#"{"latents": 8, "dictionaries": [{"layer": []}]}"#, "has an empty list for 'layer'"),
            (#"{"latents": 8, "dictionaries": [{"k": ["a"]}]}"#, "key 'k' is of the wrong kind"),
            (#"{"latents": 8, "dictionaries": [{"k": 2, "layer": 1, "layers": [1]}]}"#, "both 'layer' and 'layers'"),
            (#"{"latents": 8, "name": "x", "dictionaries": [{"k": 2}]}"#, "names all dictionaries alike"),
        ])
    func whatIsWrongIsNamed(json: String, problem: String) throws {
        let error = #expect(throws: WorkflowError.self) { try read(json) }
        #expect(error?.description.contains(problem) == true, "\(error.map { "\($0)" } ?? "")")
    }

    @Test func aHugeGridIsRefusedAtOnce() throws {
        let list = "[" + (0..<900).map(String.init).joined(separator: ",") + "]"
        let error = #expect(throws: WorkflowError.self) {
            try read(#"{"latents": \#(list), "dictionaries": [{"k": \#(list), "seed": \#(list)}]}"#)
        }
        #expect(error?.description.contains("asks for more than 1024 dictionaries") == true)
    }
}
