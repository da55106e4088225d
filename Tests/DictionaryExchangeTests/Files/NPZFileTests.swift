import DictionaryExchange
import TestSupport
import Testing

@Suite struct NPZFileTests {
    /// An archive of one array "a" with this header and bytes.
    private func file(_ header: String, version: [UInt8] = [1, 0], data: [UInt8] = [], length: Int? = nil) -> [UInt8] {
        let width = version[0] == 1 ? 2 : 4
        let array: [UInt8] = [0x93] + Array("NUMPY".utf8) + version
        let text = Array(header.utf8)
        return ZipBytes([("a.npy", array + littleEndian(UInt64(length ?? text.count), width) + text + data)]).bytes
    }

    @Test func arraysOfOtherTypesAreRefusedByNameAndTheRestIsRead() throws {
        let file = try NPZFile(path: weightFixture("unreadable.npz"))
        #expect(file.names == ["fine"])
        #expect(file.values.isEmpty)
        #expect(try file.floats("fine") == [0, 1, 2])
        let examples = [
            ("objects", "array \"objects\" holds Python objects (\"|O\"), which are never unpickled; save numbers"),
            ("structured", "array \"structured\" is a structured array, expected plain numbers"),
            ("big", "array \"big\" is big-endian (\">f4\"), expected little-endian"),
            ("text", "array \"text\" has the type \"<U4\", which is not read"),
            ("raw", "array \"raw\" holds raw bytes (\"|V2\"), as bfloat16 is saved; save array.astype(numpy.float32)"),
            ("complex", "array \"complex\" has the type \"<c8\", which is not read"),
        ]
        for (name, expected) in examples {
            #expect(file.entry(name) == nil)
            #expect(weightFileProblem { _ = try file.floats(name) }?.hasPrefix(expected) == true, "\(name)")
            #expect(weightFileProblem { _ = try file.scalar(name) }?.hasPrefix(expected) == true, "\(name)")
        }
    }

    @Test func headersInAnySpellingOfNumPyAreRead() throws {
        let directory = try TemporaryDirectory()
        let headers = [
            "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }     \n",
            "{\"shape\": (2,), \"fortran_order\": True, \"descr\": \"<f4\"}",
            "{'descr':'<f4','shape':(1,2),'fortran_order':False}",
            " { 'descr' : '<f4' , 'fortran_order' : True , 'shape' : ( 2 , 1 , ) } ",
        ]
        for header in headers {
            let path = try directory.write(file(header, data: stored([3, 4])), as: "a.npz")
            #expect(try NPZFile(path: path).floats("a") == [3, 4], "\(header)")
        }
    }

    @Test(arguments: [
        ("", "expected '{' at byte 0"), ("{", "expected a text"), ("{}", "without descr, fortran_order or shape"),
        ("{'descr': '<f4', 'fortran_order': False}", "without descr, fortran_order or shape"),
        ("{'descr': '<f4', 'descr': '<f4'}", "with the key \"descr\" unknown or twice"),
        ("{'evil': 1}", "with the key \"evil\" unknown or twice"),
        ("{'descr': __import__('os')}", "expected a text"), ("{'descr': 'a\\x41'}", "expected a text without escapes"),
        ("{'descr': '<f4", "expected the end of a text"), ("{'descr' '<f4'}", "expected ':'"),
        ("{'fortran_order': 1}", "expected True or False"), ("{'shape': 3}", "expected '('"),
        ("{'shape': (3)}", "expected ','"), ("{'shape': (-3,)}", "expected a whole number"),
        ("{'shape': (3.0,)}", "expected ','"), ("{'shape': (3L,)}", "expected ','"),
        ("{'shape': (,)}", "expected a whole"),
        ("{'shape': (9223372036854775808,)}", "expected a number below"), ("{'shape': (1, 2", "expected ')'"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x", "expected the end"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}{}", "expected the end"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", "has 4 bytes, which are not F32 of the shape [2]"),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (1,)}", "has 4 bytes, which are not F64 of the shape [1]"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (0,)}", "has 4 bytes, which are not F32"),
        (
            "{'descr': '<f4', 'fortran_order': True, 'shape': (4611686018427387904, 4, 0)}",
            "has 4 bytes, which are not F32"
        ),
        ("{'shape': (\(String(repeating: "1,", count: 65)))}", "has more than 64 dimensions"),
    ])
    func aHeaderThatIsNotNumPysIsRefused(header: String, expected: String) throws {
        try expectRefusal(file(header, data: [0, 0, 0, 0]), expected)
    }

    @Test func aPrefixThatIsNotNumPysIsRefused() throws {
        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}"
        try expectRefusal(file(header, version: [4, 0]), "is of version 4.0 of .npy, expected 1.0, 2.0 or 3.0")
        try expectRefusal(file(header, version: [1, 1]), "is of version 1.1 of .npy")
        try expectRefusal(file(header, length: 0xFFFF), "has a header of 65535 bytes, which reach beyond it")
        try expectRefusal(
            file(header, version: [2, 0], length: 1 << 17), "has a header of 131072 bytes, at most 65536")
        try expectRefusal(file(header, version: [2, 0], length: 0xFFFF_FFFF), "has a header of 4294967295 bytes")
        try expectRefusal(ZipBytes([("a.npy", [])]).bytes, "array \"a\" is no .npy: it lacks the mark")
        try expectRefusal(ZipBytes([("a.npy", Array("a text that is no array".utf8))]).bytes, "it lacks the mark")
        try expectRefusal(ZipBytes([("a.npy", [0x93] + Array("NUMPY".utf8) + [2, 0, 1, 0])]).bytes, "it is cut short")
    }

    @Test func damagedValuesAreFoundByTheirCRC() throws {
        let directory = try TemporaryDirectory()
        var bytes = file("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", data: stored([3]))
        let values = try #require(bytes.firstRange(of: stored([3])))
        bytes[values.lowerBound] ^= 1
        let npz = try NPZFile(path: directory.write(bytes, as: "a.npz"))
        #expect(weightFileProblem { _ = try npz.floats("a") }?.hasPrefix("entry \"a.npy\" is damaged") == true)
        #expect(weightFileProblem { _ = try npz.scalar("a") }?.hasPrefix("entry \"a.npy\" is damaged") == true)
    }

    @Test func anArchiveWithoutArraysIsRefusedAsNPZ() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write(ZipBytes([("a.txt", [1])]).bytes, as: "a.npz")
        #expect(weightFileProblem { _ = try NPZFile(path: path) } == "has no .npy array; save arrays with numpy.savez")
    }
}
