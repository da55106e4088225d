/// Opcodes of pickles, for tests that write what torch would not.
enum PickleBytes {
    static let mark: [UInt8] = Array("(".utf8)

    /// A pickle of protocol 2.
    static func pickle(_ body: [UInt8]) -> [UInt8] { [0x80, 2] + body + Array(".".utf8) }

    static func text(_ text: String) -> [UInt8] {
        Array("X".utf8) + littleEndian(UInt64(text.utf8.count), 4) + Array(text.utf8)
    }

    static func integer(_ value: Int) -> [UInt8] {
        [0x8A, 8] + littleEndian(UInt64(bitPattern: Int64(value)), 8)
    }

    static func global(_ module: String, _ name: String) -> [UInt8] { Array("c\(module)\n\(name)\n".utf8) }

    static func tuple(_ items: [[UInt8]]) -> [UInt8] { mark + items.flatMap { $0 } + Array("t".utf8) }

    static func dictionary(_ members: [(String, [UInt8])]) -> [UInt8] {
        Array("}".utf8) + mark + members.flatMap { text($0.0) + $0.1 } + Array("u".utf8)
    }

    static func storage(_ kind: String, key: String, count: Int) -> [UInt8] {
        tuple([text("storage"), global("torch", kind), text(key), text("cpu"), integer(count)]) + Array("Q".utf8)
    }

    static func tensor(
        _ storage: [UInt8], offset: Int = 0, shape: [Int], strides: [Int]
    ) -> [UInt8] {
        let hooks = global("collections", "OrderedDict") + Array(")R".utf8)
        return global("torch._utils", "_rebuild_tensor_v2")
            + tuple([
                storage, integer(offset), tuple(shape.map(integer)), tuple(strides.map(integer)), [0x89], hooks,
            ]) + Array("R".utf8)
    }
}

/// A file of torch.save with this pickle and these storages.
func torchFile(
    pickle: [UInt8], storages: [(key: String, bytes: [UInt8])] = [], version: String = "3\n",
    byteOrder: String = "little"
) -> ZipBytes {
    let entries: [(name: String, bytes: [UInt8])] = [
        ("file/data.pkl", pickle), ("file/byteorder", Array(byteOrder.utf8)), ("file/version", Array(version.utf8)),
    ]
    return ZipBytes(entries + storages.map { ("file/data/\($0.key)", $0.bytes) }, sizesFollow: true)
}

/// A file of torch.save with one tensor "t" of these strides on a storage of floats.
func torchFile(floats: [Float], offset: Int = 0, shape: [Int], strides: [Int]) -> [UInt8] {
    let storage = PickleBytes.storage("FloatStorage", key: "0", count: floats.count)
    let tensor = PickleBytes.tensor(storage, offset: offset, shape: shape, strides: strides)
    return torchFile(
        pickle: PickleBytes.pickle(PickleBytes.dictionary([("t", tensor)])), storages: [("0", stored(floats))]
    ).bytes
}
