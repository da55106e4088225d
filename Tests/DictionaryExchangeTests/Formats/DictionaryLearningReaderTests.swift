import DictionaryExchange
import Foundation
import JSON
import SparseCoding
import Testing
import Vocabulary

/// Folders that trainers of dictionary_learning saved.
@Suite struct DictionaryLearningReaderTests {
    @Test func theConfigurationIsRecorded() throws {
        let one = try ForeignFolder(copying: "dictionary_learning-matryoshka").one()
        #expect(one.modelName == "Demo/model")
        #expect(one.hook == "resid_post_layer_3")
        #expect(one.details["trained_k"] == .integer(6))
        #expect(one.details["group_sizes"] == .array([.integer(10), .integer(30)]))
        #expect(one.details["context_size"] == .integer(256))
        #expect(one.files.map(\.role) == ["weights", "config"])
        #expect(one.tensors.last?.shape == [1])
    }

    @Test func autoEncodersSayThatNormsStayAsTheyAre() throws {
        let one = try ForeignFolder(copying: "dictionary_learning-standard").one()
        #expect(one.remarks.count == 1 && one.remarks[0].contains("from_pretrained"))
    }

    @Test func severalTrainersAreAllFound() throws {
        let folder = try ForeignFolder()
        for (number, fixture) in ["dictionary_learning-topk", "dictionary_learning-gated"].enumerated() {
            try FileManager.default.copyItem(
                atPath: interchangeFixture(fixture), toPath: folder.path + "/trainer_\(number)")
        }
        let found = try folder.find()
        #expect(found.map(\.configuration.architecture) == [.topk, .gated])
        #expect(found.map(\.suggestedName).allSatisfy { $0.hasSuffix("-trainer_0") || $0.hasSuffix("-trainer_1") })
        #expect(Set(found.map(\.suggestedName)).count == 2)
    }

    @Test func aCheckpointTakesTheConfigurationAboveIt() throws {
        let folder = try ForeignFolder(copying: "dictionary_learning-topk")
        try FileManager.default.createDirectory(
            atPath: folder.path + "/checkpoints", withIntermediateDirectories: false)
        try FileManager.default.copyItem(
            atPath: folder.path + "/ae.pt", toPath: folder.path + "/checkpoints/ae_1000.pt")
        let found = try folder.find(in: "checkpoints/ae_1000.pt")
        #expect(found.count == 1 && found[0].configuration.k == 6)
        #expect(found[0].suggestedName.hasSuffix("checkpoints-ae_1000"))
    }

    struct Example: Sendable, CustomTestStringConvertible {
        var fixture = "dictionary_learning-batchtopk"
        let old: String
        let new: String
        let kind: ForeignDictionaryError.Kind?
        let text: String
        var testDescription: String { new }
    }

    static let examples = [
        Example(
            old: #""dict_class": "BatchTopKSAE""#, new: #""dict_class": "IdentityDict""#, kind: .refused,
            text: "is \"IdentityDict\": expected one of AutoEncoder,"),
        Example(
            old: #""dict_class": "BatchTopKSAE""#, new: #""other": 1"#, kind: .malformed,
            text: "\"trainer.dict_class\": expected one of"),
        Example(
            old: #""dict_class": "BatchTopKSAE""#, new: #""dict_class": "AutoEncoder""#, kind: nil,
            text: "no tensor named \"bias\""),
        Example(
            old: #""dict_class": "BatchTopKSAE""#, new: #""dict_class": "JumpReluAutoEncoder""#, kind: nil,
            text: "no tensor named \"W_enc\""),
        Example(
            fixture: "dictionary_learning-matryoshka", old: "MatryoshkaBatchTopKSAE", new: "JumpReluAutoEncoder",
            kind: .malformed, text: "\"threshold\" has shape []; expected [40]"),
        Example(
            old: #""activation_dim": 48"#, new: #""activation_dim": 64"#, kind: .malformed,
            text: "\"trainer.activation_dim\": expected 48, as the tensors have it, found 64"),
        Example(old: #""dict_size": 40"#, new: #""dict_size": 41"#, kind: .malformed, text: "expected 40"),
        Example(old: #""k": 6"#, new: #""k": 7"#, kind: .malformed, text: "expected 6, as tensor \"k\" has it"),
        Example(old: #""layer": 3"#, new: #""layer": 4"#, kind: .malformed, text: "expected 3, as submodule_name says"),
        Example(old: #""layer": 3"#, new: #""layer": -1"#, kind: .malformed, text: "expected a layer number"),
        Example(old: #""io": "out""#, new: #""io": "in""#, kind: .refused, text: "\"buffer.io\" is \"in\""),
        Example(
            old: "resid_post_layer_3", new: "mlp_out_layer_3", kind: .refused,
            text: "\"trainer.submodule_name\" is \"mlp_out_layer_3\": it reads the MLP of a layer"),
        Example(old: "resid_post_layer_3", new: "attention_out_layer_3", kind: .refused, text: "the attention of"),
        Example(old: #""trainer": {"#, new: #""x": {"#, kind: .malformed, text: "\"trainer\": expected an object"),
    ]

    @Test("One line says what is wrong", arguments: examples)
    func oneLineSaysWhatIsWrong(_ example: Example) throws {
        let folder = try ForeignFolder(copying: example.fixture)
        try folder.replace(example.old, with: example.new, in: "config.json")
        let failure = folder.failure()
        #expect(failure.kind == example.kind, "\(failure.text)")
        #expect(failure.text.contains(example.text), "\(failure.text)")
    }

    @Test func namesOfSubmodulesThatSayNothingAreRemarked() throws {
        let folder = try ForeignFolder(copying: "dictionary_learning-topk")
        try folder.replace("resid_post_layer_3", with: "the stream", in: "config.json")
        let one = try folder.one()
        #expect(one.configuration.layers == [3])
        #expect(one.remarks.count == 1 && one.remarks[0].contains("\"the stream\" is taken for the residual stream"))
    }

    @Test func optionsAreCompared() throws {
        let folder = try ForeignFolder(copying: "dictionary_learning-topk")
        #expect(try folder.one(ForeignRequest(layers: [3], k: 6)).configuration.k == 6)
        #expect(folder.failure(ForeignRequest(k: 8)).text.contains("has k = 6, `k` says 8"))
        let batch = try ForeignFolder(copying: "dictionary_learning-batchtopk")
        #expect(batch.failure(ForeignRequest(k: 6)).text.contains("no fixed number of active latents"))
    }

    @Test func aMissingConfigurationIsNamed() throws {
        let folder = try ForeignFolder(copying: "dictionary_learning-topk")
        try folder.remove("config.json")
        #expect(folder.failure().text == "config.json: no such file")
    }
}
