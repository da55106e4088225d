import DictionaryExchange
import JSON
import SparseCoding
import Testing
import Vocabulary

/// The rule of the input that an export records under `routesae_input`.
@Suite struct RecordedInputTests {
    private func metadata(_ recorded: String, version: String = #""routesae_version": "0.1.0", "#) -> String {
        """
        {"sae_lens_version": "6.54.12", "hook_name": "blocks.3.hook_resid_post", \(version)\
        "routesae_input": \(recorded)}
        """
    }

    @Test func theEpsilonOfALayerNormIsRestored() throws {
        let folder = try ForeignFolder()
        let recorded = metadata(#"{"rule": "layer_norm", "epsilon": 1e-06}"#)
        try folder.writeSAELens(changing: ["metadata": recorded, "normalize_activations": "\"layer_norm\""])
        let one = try folder.one()
        #expect(one.configuration.input == .standardised)
        #expect(one.remarks.count == 1 && one.remarks[0].contains("epsilon 1e-06 of the layer norm is restored"))
    }

    @Test func withoutAVersionOfOursTheKeySaysNothing() throws {
        let folder = try ForeignFolder()
        let recorded = metadata(#"{"rule": "layer_norm", "epsilon": 1e-06}"#, version: "")
        try folder.writeSAELens(changing: ["metadata": recorded, "normalize_activations": "\"layer_norm\""])
        #expect(try folder.one().configuration.input == .layerNorm(epsilon: 1e-5))
    }

    @Test func anotherRuleThanSAELensReadsIsAContradiction() throws {
        let folder = try ForeignFolder()
        let recorded = metadata(#"{"rule": "layer_norm", "epsilon": 1e-06}"#)
        for rule in ["none", "constant_norm_rescale"] {
            try folder.writeSAELens(changing: ["metadata": recorded, "normalize_activations": "\"\(rule)\""])
            let failure = folder.failure()
            #expect(failure.kind == .malformed)
            #expect(failure.text.contains("\"metadata.routesae_input\": expected a rule that goes with"))
        }
    }

    @Test func sparsifysInputIsRestored() throws {
        for (recorded, input) in [
            (#"{"rule": "layer_norm", "epsilon": 1e-06}"#, InputNormalization.standardised),
            (#"{"epsilon": 0.25, "rule": "layer_norm"}"#, .layerNorm(epsilon: 0.25)),
            (#"{"rule": "unit_norm"}"#, .unitNorm),
        ] {
            let folder = try ForeignFolder()
            try folder.writeSparsify(changing: ["routesae_input": recorded])
            let one = try folder.one()
            #expect(one.configuration.input == input)
            #expect(one.remarks.count == 1 && one.remarks[0].contains("rule \(input.rule.rawValue), which is restored"))
            #expect(one.details["routesae_input"] == nil)
        }
    }

    static let wrong = [
        ("\"x = h\"", "routesae_input\": expected an object, found \"x = h\""),
        ("{}", "routesae_input.rule\": expected layer_norm or unit_norm, found none"),
        (#"{"rule": "scale", "scale": 2}"#, "expected layer_norm or unit_norm, found \"scale\""),
        (#"{"rule": "none"}"#, "expected layer_norm or unit_norm, found \"none\""),
        (#"{"rule": 1}"#, "routesae_input.rule\": expected a string"),
        (#"{"rule": "layer_norm"}"#, "routesae_input.epsilon\": expected a number from 0 to 1, found none"),
        (#"{"rule": "layer_norm", "epsilon": -1e-6}"#, "expected a number from 0 to 1"),
        (#"{"rule": "layer_norm", "epsilon": 1.5}"#, "expected a number from 0 to 1, found 1.5"),
        (#"{"rule": "layer_norm", "epsilon": "1e-6"}"#, "epsilon\": expected a number, found \"1e-6\""),
        (#"{"rule": "unit_norm", "epsilon": 1e-6}"#, "epsilon\": expected none beside rule unit_norm"),
        (#"{"rule": "unit_norm", "mean": 3}"#, "routesae_input.mean\": expected no other keys than rule and epsilon"),
    ]

    @Test("Anything that no export writes is refused", arguments: wrong)
    func anythingElseIsRefused(_ recorded: String, _ text: String) throws {
        let folder = try ForeignFolder()
        try folder.writeSparsify(in: "a/layers.3", changing: ["routesae_input": recorded])
        try folder.writeSAELens(
            in: "b", changing: ["metadata": metadata(recorded), "normalize_activations": "\"layer_norm\""])
        for name in ["a", "b"] {
            let failure = folder.failure(in: name)
            #expect(failure.kind == .malformed && failure.text.contains(text), "\(failure.text)")
        }
    }
}
