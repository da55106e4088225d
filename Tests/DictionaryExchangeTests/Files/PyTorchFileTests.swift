import DictionaryExchange
import Foundation
import JSON
import TestSupport
import Testing

@Suite struct PyTorchFileTests {
    @Test func plainValuesBesideAStateDictAreKept() throws {
        let values = try PyTorchFile(path: weightFixture("nested.pt")).values
        #expect(
            values == [
                "k": .integer(32), "learning_rate": .number(1e-3), "architecture": .string("topk"),
                "tied": .boolean(false), "best": .null, "groups": .array([.integer(1), .integer(2), .integer(3)]),
                "betas": .array([.number(0.9), .number(0.999)]), "config.d_in": .integer(3),
                "config.hook": .string("blocks.3 é"), "seed": .unsigned(1 << 63 + 5), "low": .integer(-1 << 40),
            ])
    }

    @Test func otherTensorsBesideAWrappedStateDictKeepTheirPaths() throws {
        let file = try PyTorchFile(path: weightFixture("checkpoint.pt"))
        #expect(file.names.contains("encoder.weight"))
        #expect(file.names.contains("optimizer.state.0.exp_avg"))
        #expect(file.names.contains("buffers.1"))
        #expect(file.values["optimizer.param_groups.0.params"] == .array([.integer(0), .integer(1)]))
    }

    @Test func aWrapperBesideTensorsIsPartOfTheirNames() throws {
        let storage = PickleBytes.storage("FloatStorage", key: "0", count: 1)
        let tensor = PickleBytes.tensor(storage, shape: [1], strides: [1])
        let body = PickleBytes.dictionary([("model", PickleBytes.dictionary([("w", tensor)])), ("b", tensor)])
        let directory = try TemporaryDirectory()
        let bytes = torchFile(pickle: PickleBytes.pickle(body), storages: [("0", stored([4]))]).bytes
        #expect(try PyTorchFile(path: directory.write(bytes, as: "a.pt")).names == ["model.w", "b"])
    }

    @Test func keysThatOnlyBeginLikeAWrapperStayAsTheyAre() throws {
        let storage = PickleBytes.storage("FloatStorage", key: "0", count: 1)
        let tensor = PickleBytes.tensor(storage, shape: [1], strides: [1])
        let body = PickleBytes.dictionary([("model.w", tensor), ("model.b", tensor)])
        let directory = try TemporaryDirectory()
        let bytes = torchFile(pickle: PickleBytes.pickle(body), storages: [("0", stored([4]))]).bytes
        #expect(try PyTorchFile(path: directory.write(bytes, as: "a.pt")).names == ["model.w", "model.b"])
    }

    @Test func aWrapperStaysWhereNamesWouldBecomeEqual() throws {
        let storage = PickleBytes.storage("FloatStorage", key: "0", count: 1)
        let tensor = PickleBytes.tensor(storage, shape: [1], strides: [1])
        let inner = PickleBytes.dictionary([("ema.w", tensor)])
        let body = PickleBytes.dictionary([("model", inner), ("ema", PickleBytes.dictionary([("w", tensor)]))])
        let directory = try TemporaryDirectory()
        let bytes = torchFile(pickle: PickleBytes.pickle(body), storages: [("0", stored([4]))]).bytes
        #expect(try PyTorchFile(path: directory.write(bytes, as: "a.pt")).names == ["model.ema.w", "ema.w"])
    }

    @Test func everyProtocolSaysTheSame() throws {
        for version in 2...5 {
            let file = try PyTorchFile(path: weightFixture("protocol-\(version).pt"))
            #expect(file.values == ["k": .integer(4)])
            #expect(file.names == ["encoder.weight", "encoder.bias", "decoder.weight"])
        }
    }

    @Test(arguments: [
        ("legacy.pt", "has the layout of torch.save before 1.6; save it again with a current torch"),
        ("script.pt", "is a TorchScript archive, whose code is never run"),
        ("module.pt", "asks for torch.nn.modules.linear.Linear, which is never run"),
        ("command.pt", "asks for posix.system, which is never run"),
        ("float8.pt", "has a tensor of a type that is not read, such as float8 or uint16; save it as float32"),
        ("conjugated.pt", "has a negated or conjugated view of a tensor"),
        ("bare.pt", "holds a tensor, expected a dict of tensors"),
        ("bare.pkl", "is a bare pickle, which is never run"),
    ])
    func otherFilesOfTorchAreRefusedByName(name: String, expected: String) {
        for open in [{ _ = try WeightFileFormat.open($0) }, { _ = try PyTorchFile(path: $0) }]
            as [(String) throws -> Void]
        {
            let problem = weightFileProblem { try open(weightFixture(name)) }
            #expect(problem?.contains(expected) == true, "\(problem ?? "it was read")")
        }
    }

    @Test func aLayoutThatIsNotTorchsIsRefused() throws {
        let pickle = PickleBytes.pickle(PickleBytes.dictionary([]))
        try expectRefusal(ZipBytes([("a.txt", [1])]).bytes, "it has 0 entries NAME/data.pkl, expected one")
        try expectRefusal(
            ZipBytes([("a/data.pkl", pickle), ("b/data.pkl", pickle)]).bytes, "it has 2 entries NAME/data.pkl")
        try expectRefusal(ZipBytes([("a/b/data.pkl", pickle)]).bytes, "its pickle is \"a/b/data.pkl\"")
        try expectRefusal(ZipBytes([("a/data.pkl", pickle)]).bytes, "it lacks \"a/version\"")
        try expectRefusal(torchFile(pickle: pickle, version: "11\n").bytes, "has the layout \"11\\u{a}\"")
        try expectRefusal(torchFile(pickle: pickle, version: "x").bytes, "has the layout \"x\" of torch.save")
        try expectRefusal(
            torchFile(pickle: pickle, byteOrder: "big").bytes, "has the byte order \"big\", expected \"little\"")
        try expectRefusal(
            torchFile(pickle: pickle, byteOrder: String(repeating: "l", count: 65)).bytes, "expected at most 64")
    }

    @Test func anOlderFileWithoutByteOrderIsRead() throws {
        let pickle = PickleBytes.pickle(PickleBytes.dictionary([("k", PickleBytes.integer(3))]))
        let directory = try TemporaryDirectory()
        let bytes = ZipBytes([("a/data.pkl", pickle), ("a/version", Array("2".utf8))]).bytes
        let file = try PyTorchFile(path: directory.write(bytes, as: "a.pt"))
        #expect(file.names.isEmpty)
        #expect(file.values == ["k": .integer(3)])
    }

    @Test func storagesMustBeThereAndOfTheirSize() throws {
        func file(count: Int, key: String = "0", kind: String = "FloatStorage") -> [UInt8] {
            let storage = PickleBytes.storage(kind, key: key, count: count)
            let tensor = PickleBytes.tensor(storage, shape: [1], strides: [1])
            let pickle = PickleBytes.pickle(PickleBytes.dictionary([("t", tensor)]))
            return torchFile(pickle: pickle, storages: [("0", stored([1, 2]))]).bytes
        }
        try expectRefusal(file(count: 2, key: "1"), "lacks the storage \"file/data/1\"")
        try expectRefusal(file(count: 3), "storage \"file/data/0\" has 8 bytes, expected 3 elements of F32")
        try expectRefusal(file(count: 2, kind: "LongStorage"), "has 8 bytes, expected 2 elements of I64")
        try expectRefusal(file(count: .max), "has 8 bytes, expected \(Int.max) elements")
    }

    @Test(arguments: [
        ("beyond the end", 0, [7], [1], "reaches beyond its storage of 6 elements"),
        ("by its offset", 4, [3], [1], "reaches beyond its storage"),
        ("by its stride", 0, [2], [6], "reaches beyond its storage"),
        ("with an offset beyond Int", Int.max, [2], [1], "reaches beyond its storage"),
        ("with a stride beyond Int", 0, [3], [Int.max], "reaches beyond its storage"),
        ("with too many elements", 0, [1 << 32, 1 << 32], [0, 0], "has too many elements"),
        ("with too many before a zero", 0, [1 << 32, 1 << 32, 0], [0, 0, 0], "has too many elements"),
        ("expanded to terabytes", 0, [1 << 40], [0], "claims 1099511627776 elements that share places"),
        ("expanded beyond the limit", 0, [1 << 20 + 1], [0], "claims 1048577 elements that share places"),
        ("of windows beyond the limit", 0, [2, 3, 1 << 19], [1, 1, 0], "that share places in a storage of 6"),
        ("of a negative extent", 0, [-1], [1], "has a negative extent, stride or offset"),
        ("of a negative stride", 5, [2], [-1], "has a negative extent, stride or offset"),
        ("of a negative offset", -1, [2], [1], "has a negative extent, stride or offset"),
        ("of fewer strides", 0, [2, 2], [1], "has 2 extents and 1 strides"),
        ("of an empty shape at an offset beyond", 7, [0], [1], "reaches beyond its storage"),
    ])
    func aTensorOutsideItsStorageIsRefused(
        name: String, offset: Int, shape: [Int], strides: [Int], expected: String
    ) throws {
        try expectRefusal(
            torchFile(floats: [1, 2, 3, 4, 5, 6], offset: offset, shape: shape, strides: strides), expected)
    }

    @Test func anExpandedTensorUpToTheLimitIsRead() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write(torchFile(floats: [7], shape: [1 << 10, 1 << 10], strides: [0, 0]), as: "a.pt")
        let floats = try PyTorchFile(path: path).floats("t")
        #expect(floats.count == 1 << 20)
        #expect(floats.allSatisfy { $0 == 7 })
    }

    @Test func damagedValuesAreFoundByTheirCRC() throws {
        let directory = try TemporaryDirectory()
        var bytes = torchFile(floats: [1, 2, 3], shape: [3], strides: [1])
        let values = try #require(bytes.firstRange(of: stored([1, 2, 3])))
        bytes[values.lowerBound] ^= 1
        let file = try PyTorchFile(path: directory.write(bytes, as: "a.pt"))
        for read in [{ _ = try file.floats("t") }, { _ = try file.floats("t") }] as [() throws -> Void] {
            let problem = weightFileProblem(read)
            #expect(problem?.hasPrefix("entry \"file/data/0\" is damaged: its CRC-32 is") == true)
        }
        let found = try #require(bytes.firstRange(of: Array("_rebuild_tensor_v2".utf8)))
        bytes[found.lowerBound] ^= 1
        try expectRefusal(bytes, "entry \"file/data.pkl\" is damaged")
    }

    @Test func aFileThatHasBecomeShorterIsAnErrorOfItsPath() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write(torchFile(floats: [1, 2, 3], shape: [3], strides: [1]), as: "a.pt")
        let file = try PyTorchFile(path: path)
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try handle.truncate(atOffset: 100)
        try handle.close()
        let problem = weightFileProblem { _ = try file.floats("t") }
        #expect(problem?.hasPrefix("has become shorter while it was being read") == true)
    }
}
