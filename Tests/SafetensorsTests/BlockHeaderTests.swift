import Safetensors
import Testing

@Suite struct BlockHeaderTests {
    private let tensors: [(name: String, dtype: TensorDType, shape: [Int])] = [
        (name: "ids", dtype: .i64, shape: [3]), (name: "values", dtype: .bf16, shape: [3, 2]),
        (name: "marks", dtype: .u8, shape: [3]),
    ]

    @Test func readsWhatItWrites() throws {
        let bytes = try BlockHeader.bytes(describing: tensors, metadata: ["a": "b\"\n"], path: "x")
        #expect(bytes.count % 8 == 0)
        let length = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        #expect(length == bytes.count - 8)
        let header = try BlockHeader(json: Array(bytes.dropFirst(8)))
        #expect(header.metadata == ["a": "b\"\n"])
        #expect(header.tensors.map(\.name) == ["ids", "values", "marks"])
        #expect(header.tensors.map(\.byteRange) == [0..<24, 24..<36, 36..<39])
        #expect(header.byteCount == 39)
    }

    @Test func refusesWhatAFileMayNotHaveEither() {
        func problem(_ json: String) -> SafetensorsMalformation? {
            #expect(throws: SafetensorsMalformation.self) { try BlockHeader(json: Array(json.utf8)) }
        }
        func tensor(_ offsets: String, shape: String = "[1]", dtype: String = "U8") -> String {
            #"{"t":{"dtype":"\#(dtype)","shape":\#(shape),"data_offsets":\#(offsets)}}"#
        }
        #expect(problem("[]") == .headerStart)
        #expect(problem("") == .headerStart)
        #expect(problem(tensor("[1,2]")) == .hole(tensor: "t", offset: 8 + tensor("[1,2]").utf8.count))
        #expect(problem(tensor("[0,2]")) == .sizeMismatch(tensor: "t", expected: 1, found: 2))
        #expect(problem(tensor("[0,1]", dtype: "X9")) == .unknownDType("X9", tensor: "t"))
        // The end of such a tensor has no place behind the header.
        let most = "\(Int.max)"
        #expect(problem(tensor("[0,\(most)]", shape: "[\(most)]")) == .invalidOffsets(tensor: "t"))
        #expect(problem(tensor("[0,1]", shape: "[\(most),\(most)]")) == .shapeOverflow(tensor: "t"))
    }
}
