import Foundation
import Safetensors
import TestSupport
import Testing

struct SafetensorsFileTests {
    /// Written by version 0.5 of the reference implementation's Python package from
    /// scalar = 2.5 (f32), weights = [[1, -0.5, 3.140625], [65504, 6e-8, inf]] (f16),
    /// brain = [1, -2, 3.3895313892515355e38, 1e-40] (bf16), ids = [1, -2, 9007199254740993] (i64), bytes = [0, 255],
    /// mask = [true, false, true], double = [0.1, 1e300], empty = zeros(0, 4), and two metadata entries.
    static let reference = [UInt8](
        Data(
            base64Encoded: """
                IAIAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJmb3JtYXQiOiJwdCIsIm5vdGUiOiJlaW4gXCJUZXh0XCIg4oCTIPCfmYIifSwiaWRz
                Ijp7ImR0eXBlIjoiSTY0Iiwic2hhcGUiOlszXSwiZGF0YV9vZmZzZXRzIjpbMCwyNF19LCJkb3VibGUiOnsiZHR5cGUiOiJGNjQi
                LCJzaGFwZSI6WzJdLCJkYXRhX29mZnNldHMiOlsyNCw0MF19LCJlbXB0eSI6eyJkdHlwZSI6IkYzMiIsInNoYXBlIjpbMCw0XSwi
                ZGF0YV9vZmZzZXRzIjpbNDAsNDBdfSwic2NhbGFyIjp7ImR0eXBlIjoiRjMyIiwic2hhcGUiOltdLCJkYXRhX29mZnNldHMiOls0
                MCw0NF19LCJicmFpbiI6eyJkdHlwZSI6IkJGMTYiLCJzaGFwZSI6WzRdLCJkYXRhX29mZnNldHMiOls0NCw1Ml19LCJ3ZWlnaHRz
                Ijp7ImR0eXBlIjoiRjE2Iiwic2hhcGUiOlsyLDNdLCJkYXRhX29mZnNldHMiOls1Miw2NF19LCJieXRlcyI6eyJkdHlwZSI6IlU4
                Iiwic2hhcGUiOlsyXSwiZGF0YV9vZmZzZXRzIjpbNjQsNjZdfSwibWFzayI6eyJkdHlwZSI6IkJPT0wiLCJzaGFwZSI6WzNdLCJk
                YXRhX29mZnNldHMiOls2Niw2OV19fSAgICAgAQAAAAAAAAD+/////////wEAAAAAACAAmpmZmZmZuT+cdQCIPOQ3fgAAIECAPwDA
                f38BAAA8ALhIQv97AQAAfAD/AQAB
                """,
            options: .ignoreUnknownCharacters
        ) ?? Data()
    )

    private let directory: TemporaryDirectory
    private let path: String

    init() throws {
        directory = try TemporaryDirectory()
        path = try directory.write(Self.reference, as: "reference.safetensors")
    }

    @Test func readsWhatTheReferenceImplementationWrote() throws {
        let file = try SafetensorsFile(path: path)
        #expect(file.byteCount == 621)
        #expect(file.metadata == ["format": "pt", "note": "ein \"Text\" – 🙂"])
        #expect(file.names == ["ids", "double", "empty", "scalar", "brain", "weights", "bytes", "mask"])
        #expect(try file.tensor("weights").shape == [2, 3])
        #expect(try file.tensor("weights").dtype == .f16)
        #expect(try file.tensor("weights").byteRange == 604..<616)
        #expect(try file.tensor("scalar").shape == [])
        #expect(try file.tensor("scalar").elementCount == 1)
        #expect(try file.tensor("empty").shape == [0, 4])
        #expect(try file.floats("scalar") == [2.5])
        #expect(try file.floats("weights") == [1, -0.5, 3.140625, 65504, 0x1p-24, .infinity])
        #expect(try file.floats("brain") == [1, -2, .greatestFiniteMagnitude.bfloat16Floor, 0x1p-133])
        #expect(try file.floats("double") == [0.1, .infinity])
        #expect(try file.floats("empty") == [])
        #expect(try file.integers("ids") == [1, -2, 9_007_199_254_740_993])
        #expect(try file.integers("bytes") == [0, 255])
        #expect(try file.integers("mask") == [1, 0, 1])
        #expect(try file.withBytes(of: "bytes") { Array($0) } == [0, 255])
    }

    @Test func readsPartsOfTensors() throws {
        let file = try SafetensorsFile(path: path)
        var floats = [Float](repeating: -7, count: 4)
        try file.readFloats("weights", elements: 1..<4, into: &floats)
        #expect(floats == [-0.5, 3.140625, 65504, -7])
        try file.readFloats("weights", elements: 6..<6, into: &floats)
        #expect(floats == [-0.5, 3.140625, 65504, -7])
        #expect(try file.integers("ids", elements: 1..<2) == [-2])
    }

    @Test func saysWhatCannotBeRead() throws {
        let file = try SafetensorsFile(path: path)
        #expect(throws: SafetensorsError.noSuchTensor(name: "Ids", path: path)) { try file.tensor("Ids") }
        #expect(throws: SafetensorsError.noSuchTensor(name: "", path: path)) { try file.withBytes(of: "") { _ in } }
        #expect(
            throws: SafetensorsError.wrongDType(
                name: "ids", path: path, expected: "F64, F32, F16 or BF16", found: .i64
            )
        ) { try file.floats("ids") }
        #expect(
            throws: SafetensorsError.wrongDType(
                name: "scalar", path: path, expected: "integers of at most 63 bits", found: .f32
            )
        ) { try file.integers("scalar") }
        for range in [5..<7, -1..<2, 7..<7, Int.min..<0, 0..<Int.max] {
            var floats = [Float](repeating: 0, count: 8)
            #expect(
                throws: SafetensorsError.elementsOutOfRange(
                    name: "weights", path: path, requested: range, elementCount: 6
                )
            ) { try file.readFloats("weights", elements: range, into: &floats) }
        }
    }

    @Test func tellsMissingFromUnreadable() throws {
        let absent = directory.file("absent.safetensors")
        #expect(throws: SafetensorsError.missing(path: absent)) { try SafetensorsFile(path: absent) }
        #expect(throws: SafetensorsError.missing(path: path + "/inside")) {
            try SafetensorsFile(path: path + "/inside")
        }
        #expect(
            throws: SafetensorsError.unreadable(path: directory.path, reason: "it is not a regular file")
        ) { try SafetensorsFile(path: directory.path) }
        let pipe = directory.file("pipe")
        #expect(mkfifo(pipe, 0o600) == 0)
        #expect(throws: SafetensorsError.unreadable(path: pipe, reason: "it is not a regular file")) {
            try SafetensorsFile(path: pipe)
        }
    }

    /// A file of one tensor of 100,000 elements, more than is read at a time.
    private func large(_ dtype: TensorDType) throws -> String {
        let path = directory.file("large-\(dtype.rawValue)")
        let writer = try SafetensorsWriter(
            path: path, tensors: [(name: "a", dtype: dtype, shape: [1000, 100])], metadata: [:], overwrite: true)
        if dtype.isConvertibleToFloat {
            try (0..<100_000).map { Float($0 % 251) }.withUnsafeBufferPointer { try writer.append("a", floats: $0) }
        } else {
            try writer.append("a", integers: (0..<100_000).map { Int64($0 % 127) })
        }
        try writer.finish()
        return path
    }

    @Test(arguments: [TensorDType.f64, .f32, .f16, .bf16, .i64, .i32, .u8])
    func tensorsLargerThanAPieceAreReadWhole(dtype: TensorDType) throws {
        let file = try SafetensorsFile(path: large(dtype))
        if dtype.isConvertibleToFloat {
            let expected = (0..<100_000).map { Float($0 % 251) }
            #expect(try file.floats("a") == expected)
            var part = [Float](repeating: 0, count: 70_001)
            try file.readFloats("a", elements: 7777..<77_778, into: &part)
            #expect(part == Array(expected[7777..<77_778]))
        } else {
            let expected = (0..<100_000).map { Int64($0 % 127) }
            #expect(try file.integers("a") == expected)
            #expect(try file.integers("a", elements: 7777..<77_778) == Array(expected[7777..<77_778]))
        }

        var bytes: [UInt8] = []
        try file.forEachPiece(of: "a") { bytes += $0 }
        #expect(try file.withBytes(of: "a") { Array($0) } == bytes)
        #expect(bytes.count == 100_000 * dtype.byteCount)
        try file.prefetch("a", elements: -5..<Int.max)
        try file.prefetch("a", elements: 7..<7)
    }

    @Test("A file shortened while open gives an error that names it", arguments: [0, 100, 1000, 100_000, 199_999])
    func aFileThatIsCutShortWhileItIsOpenIsAnErrorThatNamesIt(size: Int) throws {
        let path = try large(.bf16)
        let file = try SafetensorsFile(path: path)
        let whole = file.byteCount
        #expect(truncate(path, size) == 0)
        /// What is thrown, if not what is expected of a shortened file.
        func expectShortened(_ body: () throws -> Void) {
            do {
                try body()
                Issue.record("the lost bytes were read")
            } catch SafetensorsError.shortened(let name, let opened, let found) {
                #expect(name == path && opened == whole && found == size)
            } catch {
                Issue.record("\(error)")
            }
        }
        expectShortened { _ = try file.floats("a") }
        expectShortened { try file.withBytes(of: "a") { _ in } }
        expectShortened { try file.forEachPiece(of: "a") { _ in } }
        let lastRow = [Float](unsafeUninitializedCapacity: 100) { buffer, count in
            expectShortened {
                let target = try #require(buffer.baseAddress)
                try file.readFloats("a", elements: 99_900..<100_000, into: target)
            }
            count = 0
        }
        #expect(lastRow.isEmpty)
        try file.prefetch("a", elements: 0..<100_000)
        // What is still there can still be read.
        if size >= 100_000 {
            var row = [Float](repeating: 0, count: 100)
            try file.readFloats("a", elements: 100..<200, into: &row)
            #expect(row == (100..<200).map { Float($0 % 251) })
        }
        #expect(throws: SafetensorsError.self) { try SafetensorsFile(path: path) }
    }

    @Test func threadsThatReadWhileAFileIsCutShortAllEndWithTheError() async throws {
        let path = try large(.f16)
        let file = try SafetensorsFile(path: path)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    for _ in 0..<10_000 {
                        do { _ = try file.floats("a") } catch SafetensorsError.shortened { return true }
                        await Task.yield()
                    }
                    return false
                }
            }
            #expect(truncate(path, 5000) == 0)
            for try await ended in group { #expect(ended) }
        }
    }

    @Test func readsEveryIntegerType() throws {
        let header = """
            {"a":{"dtype":"I8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U16","shape":[1],"data_offsets":[1,3]},\
            "c":{"dtype":"I16","shape":[1],"data_offsets":[3,5]},"d":{"dtype":"U32","shape":[1],"data_offsets":[5,9]},\
            "e":{"dtype":"I32","shape":[1],"data_offsets":[9,13]},"f":{"dtype":"U64","shape":[1],"data_offsets":[13,21]}}
            """
        let bytes = safetensors(header) + [UInt8](repeating: 0xFE, count: 21)
        let file = try SafetensorsFile(path: directory.write(bytes, as: "integers"))
        #expect(try file.integers("a") == [-2])
        #expect(try file.integers("b") == [0xFEFE])
        #expect(try file.integers("c") == [-0x102])
        #expect(try file.integers("d") == [0xFEFE_FEFE])
        #expect(try file.integers("e") == [-0x101_0102])
        #expect(throws: SafetensorsError.self) { try file.integers("f") }
    }
}

extension SafetensorsFileTests {
    /// Element types of recent files that are not supported; their sizes cannot be checked, their offsets can.
    @Test("Unknown element types are refused only when read")
    func typesThatAreNotKnownAreJudgedWhenTheyAreRead() throws {
        let header =
            #"{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]},"#
            + #""c":{"dtype":"F8_E8M0","shape":[1],"data_offsets":[4,5]}}"#
        let directory = try TemporaryDirectory()
        let path = try directory.write(safetensors(header, data: 5), as: "mixed.safetensors")
        let file = try SafetensorsFile(path: path)
        #expect(file.names == ["b"])
        #expect(try file.integers("b").count == 2)
        for (name, type) in [("a", "F4"), ("c", "F8_E8M0")] {
            #expect(throws: SafetensorsError.malformed(path: path, .unknownDType(type, tensor: name))) {
                try file.floats(name)
            }
        }

        let collection = try SafetensorsCollection(files: [file])
        #expect(collection.names == ["b"])
        let overlapping = header.replacing("[4,5]", with: "[3,5]")
        let other = try directory.write(safetensors(overlapping, data: 5), as: "overlapping.safetensors")
        #expect(throws: SafetensorsError.malformed(path: other, .overlap(tensor: "c"))) {
            try SafetensorsFile(path: other)
        }
    }
}

extension Float {
    /// The largest bfloat16 that is not above a positive value, by clearing the lower half of its bits.
    fileprivate var bfloat16Floor: Float { Float(bitPattern: bitPattern & 0xFFFF_0000) }
}
