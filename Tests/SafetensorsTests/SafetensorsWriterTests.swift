import Foundation
import Safetensors
import TestSupport
import Testing

struct SafetensorsWriterTests {
    private let directory: TemporaryDirectory
    private let path: String
    private var partialPath: String { path + ".partial" }

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.file("written.safetensors")
    }

    private func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

    @Test func writesExactlyTheseBytes() throws {
        let writer = try SafetensorsWriter(
            path: path, tensors: [("b", .u8, [3]), ("a", .bf16, [2])], metadata: ["y": "1", "x": "\"\\\n\u{1}é"]
        )
        try writer.append("b", integers: [1, 2, 255])
        try writer.append("a", floats: [1, -2])
        try writer.finish()
        var header =
            #"{"__metadata__":{"x":"\"\\\n\u0001é","y":"1"},"a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]},"#
        header += #""b":{"dtype":"U8","shape":[3],"data_offsets":[4,7]}}"#
        while header.utf8.count % 8 != 0 { header += " " }
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
        #expect(bytes == safetensors(header) + [0x80, 0x3F, 0x00, 0xC0, 1, 2, 255])
    }

    @Test func readsBackEveryTypeInterleaved() throws {
        let floats: [TensorDType] = [.f64, .f32, .f16, .bf16]
        let integers: [TensorDType] = [.i64, .u64, .i32, .u32, .i16, .u16, .i8, .u8, .bool]
        let values: [Float] = (0..<100_000).map { Float($0 % 200) - 100.5 }
        let writer = try SafetensorsWriter(
            path: path,
            tensors: floats.map { ($0.rawValue, $0, [100, 1000]) } + integers.map { ($0.rawValue, $0, [2, 2]) }
                + [("scalar", .f32, []), ("none", .i8, [3, 0])],
            metadata: ["k": "v"]
        )
        for start in stride(from: 0, to: values.count, by: 33_333) {
            for dtype in floats.reversed() {
                try writer.append(dtype.rawValue, floats: Array(values[start..<min(start + 33_333, values.count)]))
            }
        }
        for part in [[Int64(0), 1], [], [1], [0]] {
            for dtype in integers { try writer.append(dtype.rawValue, integers: part) }
        }
        try writer.append("scalar", floats: [.pi])
        #expect(exists(partialPath) && !exists(path))
        try writer.finish()
        #expect(!exists(partialPath) && exists(path))

        let file = try SafetensorsFile(path: path)
        #expect(file.metadata == ["k": "v"])
        #expect(Set(file.names) == Set((floats + integers).map(\.rawValue) + ["scalar", "none"]))
        for dtype in floats {
            #expect(try file.tensor(dtype.rawValue).shape == [100, 1000])
            #expect(try file.floats(dtype.rawValue) == values, "\(dtype)")
        }
        for dtype in integers where dtype != .u64 {
            #expect(try file.integers(dtype.rawValue) == [0, 1, 1, 0], "\(dtype)")
        }
        #expect(try file.floats("scalar") == [.pi])
        #expect(try file.integers("none") == [])
        for tensor in file.tensors.values {
            #expect(tensor.byteRange.lowerBound % tensor.dtype.byteCount == 0, "\(tensor.name) is not aligned")
        }
    }

    @Test func readsBackUnusualNames() throws {
        let names = ["", "a b/c", "\"quoted\"", "tab\tand\u{0}nul", "ünïcödé 🙂", "back\\slash"]
        let writer = try SafetensorsWriter(path: path, tensors: names.map { ($0, .f32, [0]) })
        try writer.finish()
        #expect(try SafetensorsFile(path: path).names == names)
    }

    @Test func refusesToFinishWhatIsIncomplete() throws {
        let writer = try SafetensorsWriter(path: path, tensors: [("a", .f16, [2, 2]), ("b", .i8, [1])])
        try writer.append("b", integers: [1])
        try writer.append("a", floats: [1, 2, 3])
        #expect(throws: SafetensorsError.wrongElementCount(name: "a", path: path, expected: 4, found: 3)) {
            try writer.finish()
        }
        #expect(!exists(path))
        #expect(throws: SafetensorsError.wrongElementCount(name: "a", path: path, expected: 4, found: 5)) {
            try writer.append("a", floats: [4, 5])
        }
        #expect(throws: SafetensorsError.wrongElementCount(name: "b", path: path, expected: 1, found: 2)) {
            try writer.append("b", integers: [0])
        }
        try writer.append("a", floats: [4])
        try writer.finish()
        #expect(try SafetensorsFile(path: path).floats("a") == [1, 2, 3, 4])
    }

    @Test func refusesWhatDoesNotFitTheDeclaration() throws {
        let writer = try SafetensorsWriter(path: path, tensors: [("a", .f32, [1]), ("b", .u8, [1]), ("c", .i64, [1])])
        #expect(throws: SafetensorsError.noSuchTensor(name: "x", path: path)) { try writer.append("x", floats: [1]) }
        #expect(throws: SafetensorsError.noSuchTensor(name: "x", path: path)) { try writer.append("x", integers: [1]) }
        #expect(
            throws: SafetensorsError.wrongDType(name: "b", path: path, expected: "F64, F32, F16 or BF16", found: .u8)
        ) { try writer.append("b", floats: [1]) }
        #expect(throws: SafetensorsError.wrongDType(name: "a", path: path, expected: "an integer type", found: .f32)) {
            try writer.append("a", integers: [1])
        }
        for value: Int64 in [-1, 256] {
            #expect(
                throws: SafetensorsError.cannotWrite(
                    path: path, reason: "\(value) does not fit tensor \"b\" of type U8"
                )
            ) { try writer.append("b", integers: [value]) }
        }
    }

    @Test func refusesDeclarationsThatCannotBeAFile() throws {
        let declarations: [[(name: String, dtype: TensorDType, shape: [Int])]] = [
            [("a", .f32, [1]), ("a", .f32, [1])], [("__metadata__", .f32, [1])], [("a", .f32, [-1])],
            [("a", .f32, [1 << 62])], [("a", .u8, [.max]), ("b", .u8, [.max])], [("a", .u8, [1 << 40, 1 << 40])],
        ]
        for tensors in declarations {
            guard
                case .cannotWrite(path, _) = safetensorsError({
                    _ = try SafetensorsWriter(path: path, tensors: tensors)
                })
            else {
                Issue.record("\(tensors) was not refused")
                continue
            }
            #expect(!exists(partialPath))
        }
    }

    @Test func replacesAFileOnlyWhenAskedTo() throws {
        _ = try directory.write([1, 2, 3], as: "written.safetensors")
        #expect(throws: SafetensorsError.exists(path: path)) { try SafetensorsWriter(path: path, tensors: []) }
        #expect(!exists(partialPath))
        let writer = try SafetensorsWriter(path: path, tensors: [], overwrite: true)
        #expect(try Data(contentsOf: URL(filePath: path)) == Data([1, 2, 3]))
        try writer.finish()
        #expect(try SafetensorsFile(path: path).names == [])
    }

    @Test func doesNotReplaceAFileThatAppearedMeanwhile() throws {
        let writer = try SafetensorsWriter(path: path, tensors: [])
        _ = try directory.write([1, 2, 3], as: "written.safetensors")
        #expect(throws: SafetensorsError.exists(path: path)) { try writer.finish() }
        #expect(try Data(contentsOf: URL(filePath: path)) == Data([1, 2, 3]))
    }

    @Test func removesThePartialFileWhenGivenUp() throws {
        let abandoned = try SafetensorsWriter(path: path, tensors: [("a", .f32, [1])])
        #expect(exists(partialPath))
        abandoned.abandon()
        abandoned.abandon()
        #expect(!exists(partialPath))
        do {
            let forgotten = try SafetensorsWriter(path: path, tensors: [("a", .f32, [1])])
            try forgotten.append("a", floats: [1])
        }
        #expect(!exists(partialPath) && !exists(path))
    }

    @Test func abandonDoesNotTouchAFinishedFile() throws {
        let writer = try SafetensorsWriter(path: path, tensors: [])
        try writer.finish()
        writer.abandon()
        #expect(exists(path))
    }

    @Test func startsAfreshOverAStalePartialFile() throws {
        _ = try directory.write([UInt8](repeating: 7, count: 10_000), as: "written.safetensors.partial")
        let writer = try SafetensorsWriter(path: path, tensors: [("a", .i8, [2])])
        try writer.append("a", integers: [3, -3])
        try writer.finish()
        #expect(try SafetensorsFile(path: path).integers("a") == [3, -3])
    }

    @Test func keepsTwoWritersApart() throws {
        let first = try SafetensorsWriter(path: path, tensors: [("a", .i8, [1])])
        #expect(
            throws: SafetensorsError.cannotWrite(path: partialPath, reason: "another writer is at work on it")
        ) { try SafetensorsWriter(path: path, tensors: [("b", .i8, [1])]) }
        try first.append("a", integers: [5])
        try first.finish()
        #expect(try SafetensorsFile(path: path).integers("a") == [5])
    }

    @Test func saysWhyTheSystemRefuses() throws {
        let nowhere = directory.file("absent/file.safetensors")
        #expect(
            throws: SafetensorsError.cannotWrite(path: nowhere + ".partial", reason: "No such file or directory")
        ) { try SafetensorsWriter(path: nowhere, tensors: []) }
        // Larger than any file system of this kind allows, so it fails before anything is written.
        let huge = directory.file("huge.safetensors")
        let error = safetensorsError { _ = try SafetensorsWriter(path: huge, tensors: [("a", .u8, [1 << 62])]) }
        guard case .cannotWrite(huge + ".partial", _) = error else {
            Issue.record("expected cannotWrite, found \(String(describing: error))")
            return
        }
        #expect(!exists(huge + ".partial"))
    }
}
