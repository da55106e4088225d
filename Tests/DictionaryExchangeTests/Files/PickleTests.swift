import DictionaryExchange
import JSON
import TestSupport
import Testing

/// Pickles that torch does not write: one for every rule, and bombs.
@Suite struct PickleTests {
    private static func body(_ value: [UInt8]) -> [UInt8] {
        PickleBytes.pickle(PickleBytes.text("v") + value + Array("s".utf8)).replacingStart()
    }

    private func expectPickleRefusal(
        _ pickle: [UInt8], _ part: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        try expectRefusal(torchFile(pickle: pickle).bytes, part, sourceLocation: sourceLocation)
    }

    @Test func plainValuesAreRead() throws {
        let examples: [(bytes: [UInt8], value: JSONValue)] = [
            (Array("N".utf8), .null), ([0x88], .boolean(true)), ([0x89], .boolean(false)),
            ([0x4B, 200], .integer(200)),
            ([0x4D, 0, 128], .integer(32768)), ([0x4A, 0xFF, 0xFF, 0xFF, 0xFF], .integer(-1)),
            ([0x8A, 0], .integer(0)), ([0x8A, 1, 0x80], .integer(-128)), ([0x8A, 2, 0xFF, 0], .integer(255)),
            (PickleBytes.integer(.min), .integer(.min)), ([0x8B, 1, 0, 0, 0, 5], .integer(5)),
            ([0x8A, 9] + littleEndian(.max, 8) + [0], .unsigned(.max)),
            ([0x8A, 9] + littleEndian(7, 8) + [0], .integer(7)),
            ([0x47, 0x3F, 0xF8, 0, 0, 0, 0, 0, 0], .number(1.5)), (PickleBytes.text("é"), .string("é")),
            ([0x8C, 1, 0x61], .string("a")), ([0x8D, 1, 0, 0, 0, 0, 0, 0, 0, 0x61], .string("a")),
            (Array(")".utf8), .array([])), (Array("]K".utf8) + [1] + Array("a".utf8), .array([.integer(1)])),
            ([0x4B, 1, 0x85], .array([.integer(1)])), ([0x4B, 1, 0x4B, 2, 0x86], .array([.integer(1), .integer(2)])),
            (Array("](NNe".utf8), .array([.null, .null])),
        ]
        let directory = try TemporaryDirectory()
        for (bytes, value) in examples {
            let file = torchFile(pickle: Self.body(bytes)).bytes
            #expect(try PyTorchFile(path: directory.write(file, as: "a.pt")).values == ["v": value], "\(value)")
        }
    }

    @Test(arguments: [
        ("os", "system"), ("builtins", "eval"), ("torch", "load"), ("torch._utils", "_rebuild_tensor"),
        ("torch.storage", "_load_from_bytes"), ("collections", "OrderedDict.fromkeys"), ("torch.FloatStorage", ""),
    ])
    func everyFunctionButThoseOfTensorsIsRefusedByName(module: String, name: String) throws {
        let arguments = PickleBytes.tuple([PickleBytes.text("true")]) + Array("R".utf8)
        let expected = "asks for \(module).\(name), which is never run"
        try expectPickleRefusal(Self.body(PickleBytes.global(module, name) + arguments), expected)
        let named = PickleBytes.text(module) + PickleBytes.text(name) + [0x93]
        try expectPickleRefusal(Self.body(named + arguments), expected)
    }

    @Test func everyOtherOpcodeIsRefused() throws {
        let known: Set<UInt8> = Set(
            Array("(.NKMJGX)t]ae}suqrhjcQRb".utf8) + [
                0x80, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x8B, 0x8C, 0x8D, 0x93, 0x94, 0x95,
            ])
        for code in UInt8.min...UInt8.max where !known.contains(code) {
            try expectPickleRefusal([0x80, 2, code, 0x2E], "byte 2: uses the opcode")
        }
        try expectPickleRefusal([0x80, 2, 0x81, 0x2E], "uses the opcode NEWOBJ, which a state dict")
        try expectPickleRefusal([0x80, 2, 0xF0, 0x2E], "uses the opcode 0xf0")
    }

    @Test func whatIsNoPickleOfTensorsIsRefused() throws {
        let dictionary = Array("}".utf8)
        let examples: [(pickle: [UInt8], expected: String)] = [
            ([], "is no pickle of protocol 2 to 5"), ([0x80], "is no pickle"), ([0x80, 1, 0x2E], "is no pickle"),
            ([0x80, 6, 0x2E], "is no pickle"), (Array("(dp0\n.".utf8), "is no pickle"),
            ([0x80, 2], "ends without its last opcode"), ([0x80, 2, 0x80, 2, 0x2E], "states its protocol again"),
            ([0x80, 2, 0x2E], "ends with 0 values and 0 bytes left"),
            ([0x80, 2] + dictionary + dictionary + [0x2E], "ends with 2 values"),
            ([0x80, 2] + dictionary + Array("..".utf8), "ends with 1 values and 1 bytes left"),
            ([0x80, 2] + dictionary + Array("(.".utf8), "ends with 1 values and 0 bytes left"),
            (PickleBytes.pickle(Array("N".utf8)), "holds None, expected a dict of tensors"),
            (PickleBytes.pickle(Array("]".utf8)), "holds a list, expected a dict"),
            (Self.body([0x95] + littleEndian(100, 8)), "claims 100 bytes"),
            (Self.body([0x95] + littleEndian(.max, 8)), "claims 18446744073709551615 bytes"),
            (Self.body([0x8D] + littleEndian(.max, 8)), "claims 18446744073709551615 bytes"),
            (Self.body([0x58, 0xFF, 0xFF, 0xFF, 0xFF]), "has a text of 4294967295 bytes, at most 1048576"),
            (Self.body([0x58, 100, 0, 0, 0]), "claims 100 bytes"), (Self.body([0x8C, 1, 0xFF]), "that is not UTF-8"),
            (Self.body([0x8A, 255]), "claims 255 bytes"),
            (Self.body([0x8B, 0xFF, 0xFF, 0xFF, 0x7F]), "claims 2147483647"),
            (Self.body([0x8A, 9] + littleEndian(.max, 8) + [1]), "has an integer of 9 bytes"),
            (Self.body([0x8A, 10] + [UInt8](repeating: 1, count: 10)), "has an integer of 10 bytes"),
            (Self.body(Array("h".utf8) + [9]), "asks for value 9, which it has not remembered"),
            (Self.body(Array("j".utf8) + littleEndian(0xFFFF_FFFF, 4)), "asks for value 4294967295"),
            ([0x80, 2] + Array("q\0.".utf8), "has no value to remember"), ([0x80, 2] + Array("s.".utf8), "takes more"),
            ([0x80, 2] + Array("t.".utf8), "ends a list that it has not begun"),
            ([0x80, 2] + Array("N(\u{2}".utf8), "uses the opcode 0x2"), ([0x80, 2] + Array("N(b.".utf8), "takes more"),
            (Self.body(Array("NNa".utf8)), "adds an item to something that is no list"),
            (Self.body(Array("NNNs".utf8)), "sets an item of something that is no dict"),
            (Self.body(Array("}(Nu".utf8)), "sets an item of something that is no dict"),
            (Self.body(Array("NNR".utf8)), "calls something that is no function"),
            (Self.body(Array("N}b".utf8)), "sets attributes of something that is no OrderedDict"),
            (Self.body(Array("}Nb".utf8)), "sets attributes of something that is no OrderedDict"),
            (Self.body(Array("NQ".utf8)), "has a persistent identifier that is not a storage's"),
            (Self.body(Array("NN".utf8) + [0x93]), "asks for a function by something that is no text"),
            (Self.body(Array("c\(String(repeating: "a", count: 1100))\nb\n".utf8)), "in more than 1024 bytes"),
            (Self.body(Array("cos".utf8)), "ends without its last opcode"),
            (Self.body(PickleBytes.global("torch", "FloatStorage")), "has a"),
            (
                Self.body(PickleBytes.global("torch", "FloatStorage") + Array(")R".utf8)),
                "makes a storage without values"
            ),
            (Self.body(PickleBytes.storage("FloatStorage", key: "0", count: -1)), "has a persistent identifier"),
            (
                Self.body(
                    PickleBytes.global("collections", "OrderedDict") + Array("N".utf8) + [0x85] + Array("R".utf8)),
                "makes an OrderedDict of 1 arguments"
            ),
            (
                Self.body(PickleBytes.global("torch._utils", "_rebuild_tensor_v2") + Array(")R".utf8)),
                "makes a tensor of arguments that are not a tensor's"
            ),
            (
                Self.body(
                    PickleBytes.global("torch._utils", "_rebuild_parameter") + Array("N".utf8) + [
                        0x89, 0x4E, 0x87, 0x52,
                    ]),
                "makes a parameter of something that is no tensor"
            ),
            (PickleBytes.pickle(Array("}NNs".utf8)), "has None as a key"),
            (PickleBytes.pickle(PickleBytes.dictionary([("a", [0x4E]), ("a", [0x4E])])), "has two entries \"a\""),
            (
                PickleBytes.pickle(
                    PickleBytes.dictionary([("a.b", [0x4E]), ("a", PickleBytes.dictionary([("b", [0x4E])]))])),
                "has two entries \"a.b\""
            ),
        ]
        for (pickle, expected) in examples { try expectPickleRefusal(pickle, expected) }
    }

    @Test func aTensorOfMoreDimensionsThanTorchHasIsRefused() throws {
        let storage = PickleBytes.storage("FloatStorage", key: "0", count: 1)
        let ones = [Int](repeating: 1, count: 65)
        try expectPickleRefusal(
            Self.body(PickleBytes.tensor(storage, shape: ones, strides: ones)), "arguments that are not a tensor's")
    }

    @Test func theMessageOfAHostileNameIsShortAndOnOneLine() throws {
        let name = "evil\u{202E}\u{1B}[31m" + String(repeating: "x", count: 500)
        try expectPickleRefusal(
            Self.body(PickleBytes.global("os\r", name)), "asks for os\\u{d}.evil\\u{202e}\\u{1b}[31mxxx")
    }
}

extension [UInt8] {
    /// A pickle whose value is set in a dict that begins it.
    fileprivate func replacingStart() -> [UInt8] { Array(self[..<2]) + Array("}".utf8) + Array(self[2...]) }
}
