import Foundation
import Safetensors
import TestSupport
import Testing

struct SafetensorsCollectionTests {
    private let directory: TemporaryDirectory
    private var index: String { directory.file("model.safetensors.index.json") }

    init() throws { directory = try TemporaryDirectory() }

    private func writeShard(_ name: String, _ tensors: [(String, [Float])]) throws {
        let writer = try SafetensorsWriter(
            path: directory.file(name), tensors: tensors.map { ($0.0, .f32, [$0.1.count]) }
        )
        for (name, values) in tensors { try writer.append(name, floats: values) }
        try writer.finish()
    }

    private func writeIndex(_ json: String) throws {
        _ = try directory.write(Array(json.utf8), as: "model.safetensors.index.json")
    }

    private func open() throws -> SafetensorsCollection { try SafetensorsCollection(directory: directory.path) }

    @Test func opensASingleFile() throws {
        try writeShard("model.safetensors", [("b", [1, 2]), ("a", [3])])
        let model = try open()
        #expect(model.files.map(\.path) == [directory.path + "/model.safetensors"])
        #expect(model.names == ["b", "a"])
        #expect(model.contains("a") && !model.contains("c"))
        #expect(try model.floats("b") == [1, 2])
        #expect(throws: SafetensorsError.self) { try model.floats("c") }
    }

    @Test func opensShards() throws {
        try writeShard("part-2.safetensors", [("a", [1, 2, 3]), ("unlisted", [0])])
        try writeShard("part-1.safetensors", [("c", [4]), ("b", [5, 6])])
        try writeIndex(
            """
            {"metadata":{"total_size":24},"weight_map":{"a":"part-2.safetensors","b":"part-1.safetensors",\
            "c":"part-1.safetensors"}}
            """)
        let model = try open()
        #expect(model.files.count == 2)
        #expect(model.names == ["c", "b", "a"])
        #expect(try model.floats("a") == [1, 2, 3])
        #expect(try model.tensor("b").shape == [2])
        var value: Float = 0
        try model.readFloats("b", elements: 1..<2, into: &value)
        #expect(value == 6)
        #expect(!model.contains("unlisted"))
        #expect(throws: SafetensorsError.noSuchTensor(name: "unlisted", path: directory.path)) {
            try model.tensor("unlisted")
        }
    }

    @Test func saysWhatIsMissing() throws {
        #expect(throws: SafetensorsError.missing(path: directory.path + "/model.safetensors")) { try open() }
        try writeIndex(#"{"weight_map":{"a":"part-1.safetensors"}}"#)
        #expect(throws: SafetensorsError.missing(path: directory.path + "/part-1.safetensors")) {
            try open().tensor("a")
        }
        try writeShard("part-1.safetensors", [("b", [1])])
        #expect(
            throws: SafetensorsError.malformed(
                path: index, .tensorNotInShard(tensor: "a", shard: "part-1.safetensors")
            )
        ) { try open().floats("a") }
    }

    /// Tensors listed in an index and not read are not checked.
    @Test("Only the requested tensors are checked") func onlyWhatIsAskedForIsJudged() throws {
        try writeIndex(
            #"{"weight_map":{"a":"x.safetensors","b":"none.safetensors","c":"x.safetensors","d":"bad.safetensors"}}"#)
        try writeShard("x.safetensors", [("a", [1, 2])])
        _ = try directory.write([1, 2, 3], as: "bad.safetensors")
        let model = try open()
        #expect(try model.floats("a") == [1, 2])
        #expect(model.names == ["a"] && ["a", "b", "c", "d"].allSatisfy(model.contains))
        #expect(throws: SafetensorsError.missing(path: directory.path + "/none.safetensors")) { try model.tensor("b") }
        #expect(
            throws: SafetensorsError.malformed(path: index, .tensorNotInShard(tensor: "c", shard: "x.safetensors"))
        ) { try model.file(of: "c") }
        #expect(
            throws: SafetensorsError.malformed(path: directory.path + "/bad.safetensors", .fileTooShort(size: 3))
        ) { try model.floats("d") }
    }

    @Test(arguments: ["../x", "sub/x", "/etc/passwd", "..", ".", "", "x\\u0000y"])
    func refusesShardsOutsideTheDirectory(_ name: String) throws {
        try writeIndex("{\"weight_map\":{\"a\":\"\(name)\"}}")
        let error = safetensorsError { _ = try open() }
        guard case .malformed(index, .invalidIndex) = error else {
            Issue.record("expected an invalid index, found \(String(describing: error))")
            return
        }
    }

    @Test(
        "A malformed index is refused",
        arguments: ["", "{", "[]", "{}", #"{"weight_map":[]}"#, #"{"weight_map":{"a":1}}"#, "\u{0}"])
    func refusesAnIndexThatIsNone(_ json: String) throws {
        try writeIndex(json)
        #expect(
            throws: SafetensorsError.malformed(
                path: index, .invalidIndex(reason: "it has no \"weight_map\" from tensors to files")
            )
        ) { try open() }
    }

    @Test func refusesATensorInTwoFiles() throws {
        try writeShard("x.safetensors", [("a", [1]), ("b", [1])])
        try writeShard("y.safetensors", [("b", [1])])
        let files = try ["x", "y"].map { try SafetensorsFile(path: directory.file("\($0).safetensors")) }
        #expect(
            throws: SafetensorsError.tensorInTwoFiles(name: "b", first: files[0].path, second: files[1].path)
        ) { try SafetensorsCollection(files: files) }
        #expect(try SafetensorsCollection(files: [files[0]]).names == ["a", "b"])
        #expect(try SafetensorsCollection(files: []).names == [])
    }
}
