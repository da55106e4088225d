import DictionaryExchange
import TestSupport
import Testing

/// Small pickles that stand for very much, each refused in a moment.
@Suite struct PickleBombTests {
    private func expectQuickRefusal(
        _ body: [UInt8], _ part: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let start = ProcessorTime.ofThisThread
        try expectRefusal(
            torchFile(pickle: PickleBytes.pickle(body)).bytes, part, sourceLocation: sourceLocation)
        #expect(ProcessorTime.ofThisThread - start < .seconds(5), sourceLocation: sourceLocation)
    }

    /// Puts the value on top of the stack in the memo.
    private func put(_ number: Int) -> [UInt8] { Array("r".utf8) + littleEndian(UInt64(number), 4) }
    private func get(_ number: Int) -> [UInt8] { Array("j".utf8) + littleEndian(UInt64(number), 4) }
    private let set = Array("s".utf8)

    @Test func aDictThatHoldsItselfIsRefused() throws {
        let body = Array("}".utf8) + put(0) + PickleBytes.text("a") + get(0) + set
        try expectQuickRefusal(body, "has dicts or lists more than 16 deep, or one that holds itself")
    }

    @Test func aListThatHoldsItselfIsRefused() throws {
        let list = Array("]".utf8) + put(0) + get(0) + Array("a".utf8)
        try expectQuickRefusal(Array("}".utf8) + PickleBytes.text("a") + list + set, "or one that holds itself")
    }

    @Test func dictsThatDoubleAtEveryLevelAreRefused() throws {
        // Level n holds level n − 1 a hundred times; the lowest is empty.
        var body = Array("}".utf8) + put(0)
        for level in 1...10 {
            let members = (0..<100).map { ("\($0)", get(level - 1)) }
            body += PickleBytes.dictionary(members) + put(level)
        }
        // Only the last stays: the others are members of a list that it holds.
        let whole = Array("(".utf8) + body + Array("t".utf8)
        try expectQuickRefusal(
            Array("}".utf8) + PickleBytes.text("a") + whole + set,
            "has more than 524288 members or 16777216 bytes of names")
    }

    @Test func aLongListNamedAgainAndAgainIsRefused() throws {
        let list = Array("](".utf8) + [UInt8](repeating: 0x4E, count: 100_000) + Array("e".utf8) + put(0)
        let members = (0..<10_000).map { ("\($0)", get(0)) }
        let all = PickleBytes.dictionary(members)
        try expectQuickRefusal(
            Array("}".utf8) + PickleBytes.text("l") + list + set + PickleBytes.text("d") + all + set,
            "has more than 524288")
    }

    @Test func aLongShapeNamedAgainAndAgainIsRefused() throws {
        let ones = Array("(".utf8) + (0..<200_000).flatMap { _ in [0x4B, 1] as [UInt8] } + Array("t".utf8) + put(0)
        let storage = PickleBytes.storage("FloatStorage", key: "0", count: 1)
        let arguments = PickleBytes.tuple([storage, [0x4B, 0], get(0), get(0), [0x89], [0x4E]])
        let tensor = PickleBytes.global("torch._utils", "_rebuild_tensor_v2") + arguments + Array("R".utf8)
        try expectQuickRefusal(
            Array("}".utf8) + PickleBytes.text("s") + ones + set + PickleBytes.text("t") + tensor + set,
            "arguments that are not a tensor's")
    }

    @Test func longNamesOfManyTensorsAreRefused() throws {
        let long = String(repeating: "n", count: 1 << 19)
        let members = (0..<1000).map { ("\($0)", [0x4E] as [UInt8]) }
        try expectQuickRefusal(
            PickleBytes.dictionary([(long, PickleBytes.dictionary(members))]), "or 16777216 bytes of names")
    }

    @Test func tuplesNestedAMillionDeepAreRefused() throws {
        let nested = Array("N".utf8) + [UInt8](repeating: 0x85, count: 1_000_000)
        try expectQuickRefusal(Array("}".utf8) + PickleBytes.text("a") + nested + set, "has more than 524288 objects")
        let deep = Array("N".utf8) + [UInt8](repeating: 0x85, count: 100_000)
        try expectQuickRefusal(Array("}".utf8) + PickleBytes.text("a") + deep + set, "more than 16 deep")
    }

    @Test func marksNestedWithoutEndAreRefused() throws {
        try expectQuickRefusal([UInt8](repeating: 0x28, count: 2000), "is nested more than 1024 deep")
    }

    @Test func opcodesWithoutEndAreRefused() throws {
        try expectQuickRefusal([UInt8](repeating: 0x4E, count: 3_000_000), "has more than 2097152 opcodes")
    }

    @Test func valuesRememberedWithoutEndAreRefused() throws {
        let body = Array("N".utf8) + [UInt8](repeating: 0x94, count: 1_500_000)
        try expectQuickRefusal(body, "remembers more than 1048576 values")
    }

    @Test func aPickleOfTooManyBytesIsRefused() throws {
        let text = PickleBytes.text(String(repeating: "x", count: 1 << 20))
        let body = (0..<33).flatMap { _ in text }
        try expectQuickRefusal(body, "bytes, expected at most 33554432")
    }
}
