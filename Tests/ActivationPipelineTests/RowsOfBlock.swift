import ActivationPipeline
import Crypto
import Foundation
import Safetensors

/// A stream of one block of four rows, layers 1 and 4 of width 3 in bf16, written by its definition.
struct RowsOfBlock {
    var tokens: [Int64] = [100, 101, 102, 103]
    var documents: [Int64] = [0, 0, 1, 1]
    var marks: [UInt8] = [1, 0, 1, 0]
    /// Row-major `[4, 2, 3]`.
    var values = (0..<24).map { Float($0) / 8 }

    /// Its bytes; every checksum is right.
    func bytes(changingFrame change: (inout [UInt8]) -> Void = { _ in }) throws -> [UInt8] {
        let header = Array(try StreamBytes.tiny().prefix(StreamBytes.headerLength(try StreamBytes.tiny())))
        var frame = Array("ROWS".utf8) + [0, 0, 0, 0]
        for number in [0, 4, 4 * 29] { frame += Self.little(UInt64(number)) }
        change(&frame)
        var rows: [UInt8] = []
        for number in tokens + documents { rows += Self.little(UInt64(bitPattern: number)) }
        for value in values { rows += Self.little(FloatConversion.bfloat16(value)) }
        rows += marks
        var end = Array("DONE".utf8) + [0, 0, 0, 0]
        for number in [1, 4, 0] { end += Self.little(UInt64(number)) }
        return header + frame + rows + SHA256.hash(data: frame + rows) + end + SHA256.hash(data: end)
    }

    private static func little(_ number: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: number.littleEndian, Array.init)
    }
}

/// Headers of blocks of any size.
enum BlockOfHeader {
    static func bytes(rows: Int, width: Int) throws -> [UInt8] {
        try BlockHeader.bytes(
            describing: [
                (name: "token_ids", dtype: .i64, shape: [rows]), (name: "document_ids", dtype: .i64, shape: [rows]),
                (name: "activations", dtype: .bf16, shape: [rows, 1, width]),
                (name: "is_prefix", dtype: .u8, shape: [rows]),
            ], metadata: ["format": ActivationStreamHeader.format, "layers": "[3]"], path: "x")
    }
}
