import Safetensors
import TestSupport
import Testing

/// One file for every rule of the format, and damage of every kind to a file that keeps them all.
struct MalformedFileTests {
    struct Example: Sendable, CustomTestStringConvertible {
        let name: String
        let bytes: [UInt8]
        let expected: SafetensorsMalformation

        init(_ name: String, _ bytes: [UInt8], _ expected: SafetensorsMalformation) {
            self.name = name
            self.bytes = bytes
            self.expected = expected
        }

        /// A header with one tensor `t` of this entry, and data.
        init(_ name: String, entry: String, data: Int = 4, _ expected: SafetensorsMalformation) {
            self.init(name, safetensors("{\"t\":\(entry)}", data: data), expected)
        }

        var testDescription: String { name }
    }

    static let examples: [Example] = [
        Example("no bytes", [], .fileTooShort(size: 0)),
        Example("seven bytes", [2, 0, 0, 0, 0, 0, 0], .fileTooShort(size: 7)),
        Example(
            "header over 100 MB", safetensors("{}", claimedLength: 100_000_001), .headerTooLong(length: 100_000_001)),
        Example("header of 2^64 - 1", safetensors("{}", claimedLength: .max), .headerTooLong(length: .max)),
        Example(
            "header beyond the file", safetensors("{}", claimedLength: 3), .headerBeyondFile(length: 3, fileSize: 10)),
        Example("not UTF-8", safetensors([0x7B, 0x22, 0xC3, 0x28, 0x22]), .headerNotUTF8),
        Example("surrogate in UTF-8", safetensors([0x7B, 0x22, 0xED, 0xA0, 0x80, 0x22]), .headerNotUTF8),
        Example("empty header", safetensors(""), .headerStart),
        Example("an array", safetensors("[]"), .headerStart),
        Example("white space in front", safetensors(" {}"), .headerStart),
        Example("only a brace", safetensors("{"), .invalidJSON(offset: 9, expected: "a string")),
        Example("text behind", safetensors("{} x"), .invalidJSON(offset: 11, expected: "the end of the header")),
        Example("two objects", safetensors("{}{}"), .invalidJSON(offset: 10, expected: "the end of the header")),
        Example("zero padding", safetensors("{}\0\0"), .invalidJSON(offset: 10, expected: "the end of the header")),
        Example(
            "trailing comma", safetensors("{\"__metadata__\":{},}"), .invalidJSON(offset: 27, expected: "a string")),
        Example("entry is a number", entry: "1", .invalidJSON(offset: 13, expected: "'{'")),
        Example("entry is null", entry: "null", .invalidJSON(offset: 13, expected: "'{'")),
        Example("no colon", safetensors("{\"t\" {}}"), .invalidJSON(offset: 13, expected: "':'")),
        Example(
            "control character in a key", safetensors("{\"a\nb\":{}}"),
            .invalidJSON(offset: 11, expected: "an escape instead of a control character")),
        Example("unknown escape", safetensors("{\"\\x\":{}}"), .invalidJSON(offset: 11, expected: "an escape")),
        Example(
            "lone high surrogate", safetensors("{\"\\ud800\"}"), .invalidJSON(offset: 16, expected: "a surrogate pair")),
        Example(
            "lone low surrogate", safetensors("{\"\\udc00\\udc00\"}"),
            .invalidJSON(offset: 16, expected: "a surrogate pair")),
        Example("short escape", safetensors("{\"\\u12"), .invalidJSON(offset: 14, expected: "a hexadecimal digit")),
        Example(
            "unclosed key", safetensors("{\"t"), .invalidJSON(offset: 11, expected: "the closing '\"' of a string")),
        Example(
            "tensor twice",
            safetensors(
                "{\"t\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},"
                    + "\"\\u0074\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}"),
            .duplicateKey("t", offset: 61)),
        Example(
            "metadata twice", safetensors("{\"__metadata__\":{},\"__metadata__\":{}}"),
            .duplicateKey("__metadata__", offset: 27)),
        Example(
            "metadata key twice", safetensors("{\"__metadata__\":{\"a\":\"1\",\"a\":\"1\"}}"),
            .duplicateKey("a", offset: 33)),
        Example(
            "metadata value is a number", safetensors("{\"__metadata__\":{\"a\":1}}"),
            .invalidJSON(offset: 29, expected: "a string")),
        Example("metadata is text", safetensors("{\"__metadata__\":\"a\"}"), .invalidJSON(offset: 24, expected: "'{'")),
        Example(
            "dtype twice", entry: #"{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}"#,
            .duplicateKey("dtype", offset: 28)),
        Example(
            "shape twice", entry: #"{"shape":[1],"shape":[1],"dtype":"F32","data_offsets":[0,4]}"#,
            .duplicateKey("shape", offset: 26)),
        Example(
            "data_offsets twice", entry: #"{"data_offsets":[0,4],"data_offsets":[0,4]}"#,
            .duplicateKey("data_offsets", offset: 35)),
        Example("no dtype", entry: #"{"shape":[1],"data_offsets":[0,4]}"#, .missingField("dtype", tensor: "t")),
        Example("no shape", entry: #"{"dtype":"F32","data_offsets":[0,4]}"#, .missingField("shape", tensor: "t")),
        Example("no data_offsets", entry: #"{"dtype":"F32","shape":[1]}"#, .missingField("data_offsets", tensor: "t")),
        Example("empty entry", entry: "{}", .missingField("dtype", tensor: "t")),
        Example(
            "another key", entry: #"{"dtype":"F32","shape":[1],"data_offsets":[0,4],"strides":[1]}"#,
            .unknownField("strides", tensor: "t")),
        Example(
            "dtype is a number", entry: #"{"dtype":32,"shape":[1],"data_offsets":[0,4]}"#,
            .invalidJSON(offset: 22, expected: "a string")),
        Example(
            "negative extent", entry: #"{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}"#, .invalidNumber(offset: 37)),
        Example(
            "fractional extent", entry: #"{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}"#,
            .invalidNumber(offset: 37)),
        Example(
            "exponent", entry: #"{"dtype":"F32","shape":[1e999999999],"data_offsets":[0,4]}"#,
            .invalidNumber(offset: 37)),
        Example(
            "upper-case exponent", entry: #"{"dtype":"F32","shape":[1E0],"data_offsets":[0,4]}"#,
            .invalidNumber(offset: 37)),
        Example(
            "leading zero", entry: #"{"dtype":"F32","shape":[01],"data_offsets":[0,4]}"#, .invalidNumber(offset: 37)),
        Example(
            "extent of 2^63", entry: #"{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,4]}"#,
            .invalidNumber(offset: 37)),
        Example(
            "extent of 100 digits",
            entry: #"{"dtype":"F32","shape":[\#(String(repeating: "9", count: 100))],"data_offsets":[0,4]}"#,
            .invalidNumber(offset: 37)),
        Example(
            "extent is text", entry: #"{"dtype":"F32","shape":["1"],"data_offsets":[0,4]}"#,
            .invalidJSON(offset: 37, expected: "a number")),
        Example(
            "extent is missing", entry: #"{"dtype":"F32","shape":[1,],"data_offsets":[0,4]}"#,
            .invalidJSON(offset: 39, expected: "a number")),
        Example(
            "shape is a number", entry: #"{"dtype":"F32","shape":1,"data_offsets":[0,4]}"#,
            .invalidJSON(offset: 36, expected: "'['")),
        Example(
            "shape is nested", entry: #"{"dtype":"F32","shape":[[1]],"data_offsets":[0,4]}"#,
            .invalidJSON(offset: 37, expected: "a number")),
        Example(
            "three offsets", entry: #"{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}"#, .invalidOffsets(tensor: "t")
        ),
        Example("no offsets", entry: #"{"dtype":"F32","shape":[1],"data_offsets":[]}"#, .invalidOffsets(tensor: "t")),
        Example(
            "offsets reversed", entry: #"{"dtype":"F32","shape":[1],"data_offsets":[4,0]}"#,
            .invalidOffsets(tensor: "t")),
        Example(
            "offsets of 2^63 - 1",
            entry: #"{"dtype":"U8","shape":[0],"data_offsets":[9223372036854775807,9223372036854775807]}"#,
            .wrongFileSize(expected: .max, found: 101)),
        Example(
            "shape overflows", entry: #"{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,4]}"#,
            .shapeOverflow(tensor: "t")),
        Example(
            "size overflows", entry: #"{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,4]}"#,
            .shapeOverflow(tensor: "t")),
        Example(
            "shape larger than offsets", entry: #"{"dtype":"F32","shape":[2],"data_offsets":[0,4]}"#,
            .sizeMismatch(tensor: "t", expected: 8, found: 4)),
        Example(
            "shape smaller than offsets", entry: #"{"dtype":"F16","shape":[1],"data_offsets":[0,4]}"#,
            .sizeMismatch(tensor: "t", expected: 2, found: 4)),
        Example(
            "overlap",
            safetensors(
                #"{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}"#,
                data: 4), .overlap(tensor: "b")),
        Example(
            "the same bytes twice",
            safetensors(
                #"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#,
                data: 4), .overlap(tensor: "b")),
        Example(
            "hole",
            safetensors(
                #"{"b":{"dtype":"U8","shape":[1],"data_offsets":[3,4]},"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}"#,
                data: 4), .hole(tensor: "b", offset: 115)),
        Example(
            "hole in front", entry: #"{"dtype":"U8","shape":[3],"data_offsets":[1,4]}"#, .hole(tensor: "t", offset: 61)),
        Example("data without tensors", safetensors("{}", data: 1), .wrongFileSize(expected: 10, found: 11)),
        Example(
            "data behind", entry: #"{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#, data: 5,
            .wrongFileSize(expected: 66, found: 67)),
        Example(
            "data cut short", entry: #"{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#, data: 3,
            .wrongFileSize(expected: 66, found: 65)),
    ]

    @Test("A malformed file is refused", arguments: examples)
    func isRefused(_ example: Example) throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write(example.bytes, as: "file.safetensors")
        let error = safetensorsError { _ = try SafetensorsFile(path: path) }
        #expect(error == .malformed(path: path, example.expected))
        let line = error.map(String.init(describing:)) ?? ""
        #expect(line.hasPrefix(path + ": not a valid safetensors file: ") && !line.contains("\n"))
    }

    @Test func acceptsTheUnusualThatIsAllowed() throws {
        let directory = try TemporaryDirectory()
        func open(_ bytes: [UInt8]) throws -> SafetensorsFile {
            try SafetensorsFile(path: directory.write(bytes, as: "file"))
        }
        #expect(try open(safetensors("{}")).names == [])
        #expect(try open(safetensors("{ \t\r\n}      ")).names == [])
        #expect(try open(safetensors("{\"__metadata__\":{}}")).metadata == [:])
        #expect(
            try open(safetensors(#"{"__metadata__":{"\ud83d\ude42\/\"":"\b\f\n\r\t\\"}}"#)).metadata == [
                "🙂/\"": "\u{8}\u{C}\n\r\t\\"
            ])
        // The order of the data decides, and a tensor without data may lie anywhere between two others.
        let file = try open(
            safetensors(
                """
                {"z":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}, "e":{"data_offsets":[1,1],"dtype":"F64","shape":[2,0]}, \
                "a":{"shape":[1,1],"dtype":"BOOL","data_offsets":[0,1]}}
                """, data: 2))
        #expect(file.names == ["a", "e", "z"])
        #expect(try file.tensor("e").elementCount == 0)
    }

    private static let small = safetensors(
        #"{"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"#
            + #""b":{"dtype":"I16","shape":[1,2],"data_offsets":[8,12]}}"#, data: 12)

    @Test func isRefusedCutAtEveryByte() throws {
        let directory = try TemporaryDirectory()
        for count in 0..<Self.small.count {
            let path = try directory.write(Array(Self.small[..<count]), as: "file")
            guard case .malformed(path, _) = safetensorsError({ _ = try SafetensorsFile(path: path) }) else {
                Issue.record("a file cut at byte \(count) was not refused as malformed")
                continue
            }
        }
        _ = try SafetensorsFile(path: directory.write(Self.small, as: "file"))
    }

    @Test func everyFlippedBitIsRefusedOrReadWithinTheFile() throws {
        let directory = try TemporaryDirectory()
        var refused = 0
        var opened = 0
        for position in Self.small.indices {
            for mask: UInt8 in [0x01, 0x04, 0x20, 0x80] {
                var bytes = Self.small
                bytes[position] ^= mask
                let path = try directory.write(bytes, as: "file")
                let file: SafetensorsFile
                do { file = try SafetensorsFile(path: path) } catch {
                    refused += 1
                    continue
                }
                opened += 1
                var covered = 0
                for tensor in file.tensors.values {
                    #expect(tensor.byteRange.lowerBound >= 8 && tensor.byteRange.upperBound <= bytes.count)
                    #expect(tensor.shape.reduce(1, *) == tensor.elementCount)
                    covered += tensor.byteRange.count
                    #expect(try file.withBytes(of: tensor.name) { Array($0) } == Array(bytes[tensor.byteRange]))
                    if tensor.dtype.isConvertibleToFloat {
                        #expect(try file.floats(tensor.name).count == tensor.elementCount)
                    } else if tensor.dtype.isConvertibleToInteger {
                        #expect(try file.integers(tensor.name).count == tensor.elementCount)
                    }
                }
                // A tensor whose element type is no longer known is not read.
                #expect(covered == 12 || file.tensors.count < 2)
            }
        }
        // Names, metadata and values may change unnoticed; structure may not.
        #expect(opened >= 12 * 4 && refused > opened)
    }
}
