import DictionaryExchange
import JSON
import LinearAlgebra
import SparseCoding
import Testing
import Vocabulary

/// The folder `routed` of an export for SAELens.
@Suite struct RoutedSAELensReaderTests {
    @Test func configurationAndTensorsAreThoseOfTheFiles() throws {
        let folder = try ForeignFolder()
        try folder.writeRouted()
        let one = try folder.one()
        let expected = try DictionaryConfiguration(
            architecture: .route, dModel: 4, latents: 3, k: 2, layers: [2, 3, 5], aggregation: .mean)
        #expect(one.configuration == expected)
        #expect(one.format == .saelens && one.modelName == "meta/model" && one.remarks == [])
        #expect(one.tensors.map(\.name) == ["router", "pre_bias", "latent_bias", "encoder", "decoder"])
        #expect(try one.tensors[0].read().elements == ForeignFolder.numbers(12, from: 4))
        let (stored, encoder) = (ForeignFolder.numbers(12), try one.tensors[3].read())
        for latent in 0..<3 {
            for column in 0..<4 { #expect(encoder[latent, column] == stored[column * 3 + latent]) }
        }
        #expect(one.suggestedName.hasSuffix("-routed"))
        #expect(one.details["routesae_dictionary"] == .string("demo"))
        #expect(one.files.map(\.role) == ["weights", "config"])
    }

    @Test func aMissingKIsAskedFor() throws {
        let folder = try ForeignFolder()
        try folder.writeRouted(changing: ["k": "-"])
        #expect(folder.failure().kind == .notSaid && folder.failure().text.hasSuffix("add `k`"))
        #expect(try folder.one(ForeignRequest(k: 3)).configuration.k == 3)
    }

    @Test func optionsAreCompared() throws {
        let folder = try ForeignFolder()
        try folder.writeRouted()
        #expect(try folder.one(ForeignRequest(layers: [2, 3, 5], k: 2)).configuration.k == 2)
        let layers = folder.failure(ForeignRequest(layers: [2, 3]))
        #expect(layers.kind == .contradiction && layers.text.contains("reads layers 2,3,5, `layers` says 2,3"))
        #expect(folder.failure(ForeignRequest(k: 1)).text.contains("has k = 2, `k` says 1"))
        #expect(folder.failure(ForeignRequest(routing: .soft)).text.contains("leave `routing` out"))
    }

    struct Example: Sendable, CustomTestStringConvertible {
        var key = "layers"
        let value: String
        var kind = ForeignDictionaryError.Kind.malformed
        let text: String
        var testDescription: String { "\(key): \(value)" }
    }

    static let examples = [
        Example(value: "[2, 5, 3]", text: "\"layers\": expected two or more layer numbers from 0 to 99999, ascending"),
        Example(value: "[2, 5, 3]", text: "found 3 after 5"),
        Example(value: "[2, 2, 3]", text: "found 2 after 2"),
        Example(value: "[-1, 2, 3]", text: "found -1"),
        Example(value: "[2, 3, 100000]", text: "found 100000 after 3"),
        Example(value: "[2, 3, 1e30]", text: "after 3"),
        Example(value: "[2, 3.5, 5]", text: "found 3.5 after 2"),
        Example(value: "[2, \"3\", 5]", text: "found \"3\" after 2"),
        Example(value: "[3]", text: "two or more"),
        Example(value: "[]", text: "two or more"),
        Example(value: "-", text: "found none"),
        Example(value: "7", text: "found 7"),
        Example(value: "[2, 3, 4, 5]", text: "\"metadata.routesae_layers\": expected those of key \"layers\""),
        Example(key: "d_in", value: "13", text: "\"d_in\": expected a multiple of 3, the number of layers, found 13"),
        Example(key: "d_in", value: "3", text: "d-model"),
        Example(key: "d_in", value: "24", text: "\"router\" has shape [3, 4]; expected [3, 8]"),
        Example(key: "d_sae", value: "-", text: "\"d_sae\": expected a whole number"),
        Example(key: "k", value: "0", text: "k, the number of active latents, is 0"),
        Example(key: "k", value: "4", text: "is 4; allowed: 1 … 3"),
        Example(key: "k", value: "\"2\"", text: "\"k\": expected a whole number, found \"2\""),
        Example(key: "routing", value: "\"random\"", text: "\"routing\": expected hard or soft, found \"random\""),
        Example(key: "routing", value: "-", text: "\"routing\": expected hard or soft, found none"),
        Example(key: "aggregation", value: "\"max\"", text: "expected sum or mean, found \"max\""),
        Example(key: "aggregation", value: "1", text: "\"aggregation\": expected a string"),
        Example(key: "input_rule", value: "\"rms\"", text: "expected none or layer_norm or scale or unit_norm"),
        Example(key: "input_epsilon", value: "-", text: "\"input_epsilon\": expected a number from 0 to 1, found none"),
        Example(key: "input_epsilon", value: "2", text: "found 2"),
        Example(key: "input_epsilon", value: "-1e-6", text: "\"input_epsilon\""),
        Example(key: "keeps_negative", value: "-", text: "\"keeps_negative\": expected true or false, found none"),
        Example(key: "keeps_negative", value: "1", text: "expected true or false, found 1"),
        Example(key: "keeps_negative", value: "true", kind: .refused, text: "\"scales_by_probability\" is false"),
        Example(key: "scales_by_probability", value: "true", kind: .refused, text: "only false can be represented"),
        Example(key: "normalize_activations", value: "\"layer_norm\"", text: "expected none, since input_rule says it"),
        Example(key: "reshape_activations", value: "\"hook_z\"", text: "expected none"),
        Example(key: "dtype", value: "\"int8\"", text: "expected float32"),
        Example(key: "apply_b_dec_to_input", value: "\"yes\"", text: "expected true or false"),
        Example(key: "metadata", value: "[]", text: "\"metadata\": expected an object"),
        Example(
            key: "metadata", value: #"{"routesae_architecture": "mlsae"}"#,
            text: "\"metadata.routesae_architecture\": expected route, found \"mlsae\""),
        Example(key: "metadata", value: #"{"hook_names": ["blocks.2.hook_resid_post"]}"#, text: "expected 3 names"),
        Example(
            key: "metadata", value: #"{"hook_names": ["layers.2", "layers.4", "layers.5"]}"#,
            text: "expected blocks.3.hook_resid_post for layer 3, found \"layers.4\""),
        Example(
            key: "metadata", value: #"{"hook_names": ["layers.2", 3, "layers.5"]}"#,
            text: "\"metadata.hook_names\": expected blocks.3.hook_resid_post for layer 3, found 3"),
    ]

    @Test("One line says what is wrong", arguments: examples)
    func oneLineSaysWhatIsWrong(_ example: Example) throws {
        let folder = try ForeignFolder()
        try folder.writeRouted(changing: [example.key: example.value])
        let failure = folder.failure()
        #expect(failure.kind == example.kind, "\(failure.text)")
        #expect(failure.text.hasPrefix("routed/") && failure.text.contains(example.text), "\(failure.text)")
        #expect(!failure.text.contains("\n"))
    }

    @Test(arguments: ["0", "-1", "1e-60", "1e60", "\"2\""]) func scalesThatAreNoneAreRefused(_ scale: String) throws {
        let folder = try ForeignFolder()
        try folder.writeRouted(changing: ["input_rule": "\"scale\"", "input_scale": scale])
        #expect(folder.failure().kind == .malformed && folder.failure().text.contains("\"input_scale\": expected a"))
    }

    @Test(arguments: [
        (["router": [2, 4]], "tensor \"router\" has shape [2, 4]; expected [3, 4]"),
        (["router": [4, 3]], "tensor \"router\" has shape [4, 3]; expected [3, 4]"),
        (["router": [12]], "tensor \"router\" has shape [12]; expected [3, 4]"),
        (["router": []], "no tensor named \"router\""),
        (["W_enc": [3, 4]], "tensor \"W_enc\" has shape [3, 4]; expected [4, 3]"),
        (["b_dec": [12]], "tensor \"b_dec\" has shape [12]; expected [4]"),
        (["threshold": [3]], "has tensors that a routed dictionary of RouteSAE does not have: \"threshold\""),
    ])
    func tensorsThatDoNotFitAreNamed(_ shapes: [String: [Int]], _ text: String) throws {
        let folder = try ForeignFolder()
        try folder.writeRouted(shapes: shapes)
        #expect(folder.failure().text.contains(text), "\(folder.failure().text)")
    }

    @Test func manyLayersAreCheckedInLinearTime() throws {
        let folder = try ForeignFolder()
        let layers = (0..<100_000).map(String.init).joined(separator: ",")
        try folder.writeRouted(changing: ["layers": "[\(layers)]", "d_in": "200000", "metadata": "null"])
        #expect(folder.failure().text.contains("\"router\" has shape [3, 4]; expected [100000, 2]"))
        try folder.writeRouted(changing: ["layers": "[\(layers),100000]"])
        #expect(folder.failure().text.contains("two or more layer numbers"))
    }

    @Test func keysThatAreNotKnownAreRemarked() throws {
        let folder = try ForeignFolder()
        try folder.writeRouted(changing: ["temperature": "2", "dtype": "\"bfloat16\""])
        let remarks = try folder.one().remarks
        #expect(remarks.count == 2)
        #expect(remarks.contains { $0.contains("\"temperature\"") } && remarks.contains { $0.contains("bfloat16") })
    }
}
