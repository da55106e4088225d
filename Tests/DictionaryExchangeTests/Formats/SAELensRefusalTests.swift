import DictionaryExchange
import Safetensors
import Testing

/// What is wrong with a SAELens folder is said in one line: file, key, expected and found.
@Suite struct SAELensRefusalTests {
    struct Example: Sendable, CustomTestStringConvertible {
        let key: String
        let value: String
        var architecture = "topk"
        let kind: ForeignDictionaryError.Kind
        let text: String

        var testDescription: String { "\(key): \(value)" }
    }

    static let examples = [
        Example(key: "architecture", value: "\"transcoder\"", kind: .refused, text: "is \"transcoder\": transcoders"),
        Example(key: "architecture", value: "\"jumprelu_skip_transcoder\"", kind: .refused, text: "transcoders"),
        Example(key: "architecture", value: "\"abstopk\"", kind: .refused, text: "is \"abstopk\": expected standard"),
        Example(key: "architecture", value: "\"temporal\"", kind: .refused, text: "is \"temporal\": expected standard"),
        Example(key: "architecture", value: "\"matching_pursuit\"", kind: .refused, text: "expected standard, topk"),
        Example(key: "architecture", value: "\"batchtopk\"", kind: .refused, text: "save_inference_model"),
        Example(key: "architecture", value: "-", kind: .malformed, text: "expected a string, found none"),
        Example(
            key: "architecture", value: "3", kind: .malformed, text: "expected a string of at most 4096 bytes, found 3"),
        Example(key: "d_in", value: "-", kind: .malformed, text: "\"d_in\": expected a whole number from 1"),
        Example(key: "d_in", value: "0", kind: .malformed, text: "found 0"),
        Example(key: "d_in", value: "1", kind: .malformed, text: "d-model"),
        Example(key: "d_in", value: "1e30", kind: .malformed, text: "\"d_in\": expected a whole number, found"),
        Example(key: "d_sae", value: "99999999", kind: .malformed, text: "found 99999999"),
        Example(key: "d_sae", value: "2.5", kind: .malformed, text: "found 2.5"),
        Example(key: "d_sae", value: "5", kind: .malformed, text: "has shape [4, 3]; expected [4, 5]"),
        Example(key: "d_out", value: "8", kind: .refused, text: "\"d_out\" is 8"),
        Example(key: "k", value: "0", kind: .malformed, text: "k, the number of active latents, is 0"),
        Example(key: "k", value: "4", kind: .malformed, text: "is 4; allowed: 1 … 3"),
        Example(key: "k", value: "\"2\"", kind: .malformed, text: "\"k\": expected a whole number, found \"2\""),
        Example(key: "dtype", value: "\"int8\"", kind: .malformed, text: "expected float32"),
        Example(key: "apply_b_dec_to_input", value: "1", kind: .malformed, text: "expected true or false, found 1"),
        Example(key: "normalize_activations", value: "\"new\"", kind: .malformed, text: "expected none, layer_norm"),
        Example(
            key: "normalize_activations", value: "\"covariance_whitening\"", kind: .refused,
            text: "fold_activation_whitening"),
        Example(key: "reshape_activations", value: "\"hook_z\"", kind: .refused, text: "heads"),
        Example(key: "rescale_acts_by_decoder_norm", value: "[]", kind: .malformed, text: "found an array"),
        Example(key: "finetuning_scaling_factor", value: "true", kind: .refused, text: "finetuning"),
        Example(key: "metadata", value: "7", kind: .malformed, text: "\"metadata\": expected an object, found 7"),
        Example(
            key: "metadata", value: #"{"sae_lens_version": "6.0.0", "hook_name": 4}"#, kind: .malformed,
            text: "\"metadata.hook_name\": expected a string of at most 4096 bytes, found 4"),
        Example(
            key: "metadata",
            value: #"{"sae_lens_version": "6.0.0", "hook_name": "blocks.3.hook_resid_post", "hook_head_index": 2}"#,
            kind: .refused, text: "\"metadata.hook_head_index\" is 2"),
        Example(
            key: "metadata", value: #"{"sae_lens_version": "6.0.0", "hook_name": "evil\nline\u202e"}"#,
            kind: .refused, text: "evil"),
    ]

    @Test("One line says what is wrong", arguments: examples)
    func oneLineSaysWhatIsWrong(_ example: Example) throws {
        let folder = try ForeignFolder()
        try folder.writeSAELens(example.architecture, changing: [example.key: example.value])
        let failure = folder.failure()
        #expect(failure.kind == example.kind, "\(failure.text)")
        #expect(failure.text.contains(example.text), "\(failure.text)")
        #expect(failure.text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x202E })
    }

    @Test func missingWeightsAreNamed() throws {
        let folder = try ForeignFolder()
        try folder.writeSAELens()
        try folder.remove("sae_weights.safetensors")
        #expect(folder.failure().text == "sae_weights.safetensors: no such file")
    }

    @Test func aMissingConfigurationIsNamed() throws {
        let folder = try ForeignFolder()
        try folder.writeSAELens()
        try folder.remove("cfg.json")
        #expect(folder.failure().kind == .missing && folder.failure().text == "cfg.json: no such file")
    }

    @Test(arguments: [
        ("", "a value"), ("{", "a name"), ("[1]", "expected a JSON object, found an array"),
        (#"{"d_in": 4, "d_in": 5}"#, "occurs before"), (#"{"d_in": NaN}"#, "a value"),
        (String(repeating: "[", count: 100_000), "at most 64 levels"), (#"{"k": 1e999}"#, "in the range"),
    ])
    func brokenConfigurationsAreRefused(_ text: String, _ expected: String) throws {
        let folder = try ForeignFolder()
        try folder.writeSAELens()
        try folder.write(text, as: "cfg.json")
        let failure = folder.failure()
        #expect(failure.kind == .malformed && failure.text.hasPrefix("cfg.json: "), "\(failure.text)")
        #expect(failure.text.contains(expected), "\(failure.text)")
    }

    @Test func configurationsBeyondSixteenMebibytesAreRefused() throws {
        let folder = try ForeignFolder()
        try folder.writeSAELens()
        try folder.write("{\"a\": \"" + String(repeating: "x", count: 16 << 20) + "\"}", as: "cfg.json")
        #expect(folder.failure().text.contains("at most 16 MiB"))
    }

    @Test func missingTensorsAndTensorsTooManyAreNamed() throws {
        let folder = try ForeignFolder()
        try folder.writeSAELens()
        try folder.write(["W_enc": [4, 3], "W_dec": [3, 4], "b_dec": [4]], as: "sae_weights.safetensors")
        #expect(folder.failure().text.contains("no tensor named \"b_enc\""))
        try folder.write(
            ["W_enc": [4, 3], "W_dec": [3, 4], "b_dec": [4], "b_enc": [3], "W_skip": [4, 4]],
            as: "sae_weights.safetensors")
        #expect(folder.failure().text.contains("has tensors that a SAELens standard does not have: \"W_skip\""))
    }

    @Test func otherTypesAreRefused() throws {
        let folder = try ForeignFolder()
        try folder.writeSAELens(dtype: .f64)
        #expect(folder.failure().kind == .refused)
        #expect(folder.failure().text.contains("\"W_enc\" is stored as F64; expected F32, F16 or BF16"))
    }

    @Test(arguments: ["W_enc", "W_dec", "b_enc"])
    func infinitiesAndNaNsAreNamedWhenRead(_ name: String) throws {
        let folder = try ForeignFolder()
        try folder.writeSAELens()
        for value in [Float.nan, .infinity] {
            var numbers = ForeignFolder.numbers(name == "b_enc" ? 3 : 12)
            numbers[2] = value
            try folder.write(
                ["W_enc": [4, 3], "W_dec": [3, 4], "b_dec": [4], "b_enc": [3]], values: [name: numbers],
                as: "sae_weights.safetensors")
            let one = try folder.one()
            let error = #expect(throws: ForeignDictionaryError.self) {
                for tensor in one.tensors { _ = try tensor.read() }
            }
            #expect(error?.description.contains("sae_weights.safetensors: tensor \"\(name)\" holds") == true)
            #expect(error?.description.contains("found \(value)") == true)
        }
    }
}
