import Crypto
package import FeatureCatalog
import Foundation
import JSON
package import Safetensors
import SparseTraining

/// The header of a stream of activations: a safetensors header that describes one full block.
///
/// The byte form is in docs/activations.md.
package struct ActivationStreamHeader: Sendable, Equatable {
    /// The header's text entries.
    package let metadata: [String: String]
    /// The decoder layers of a row, ascending.
    package let layers: [Int]
    /// Width of the residual stream.
    package let dModel: Int
    /// How activations are stored: f32, f16 or bf16.
    package let dtype: TensorDType
    /// Rows of every block but the last, which may have fewer.
    package let blockRows: Int
    /// The stream's first row among those of the whole text, a multiple of `blockRows`.
    package let firstRow: Int
    /// The number of rows of the whole text; nil where the producer does not know.
    package let rows: Int?

    /// The version of the form, under `format` in the header.
    package static let format = "routesae-activation-stream-1"
    /// The most bytes of a header's JSON.
    static let mostHeaderBytes = 1 << 20
    /// The most bytes of a block's rows.
    static let mostBlockBytes = 1 << 30
    /// The most rows of a block.
    static let mostBlockRows = 1 << 16
    /// The most rows of a stream.
    static let mostRows = 1 << 53

    /// Describes a stream.
    ///
    /// - Parameters:
    ///   - metadata: as in an activation file: model, tokenizer, BOS id and so on.
    ///   - blockRows: rows of a block; nil takes the largest power of two up to 4096 whose block has at most 8 MiB.
    package init(
        metadata: [String: String], layers: [Int], dModel: Int, dtype: TensorDType, firstRow: Int = 0,
        rows: Int? = nil, blockRows: Int? = nil
    ) {
        let bytes = Self.rowBytes(layers: layers.count, dModel: dModel, dtype: dtype)
        let blockRows = blockRows ?? Self.blockRows(rowBytes: bytes)
        (self.layers, self.dModel, self.dtype, self.blockRows) = (layers, dModel, dtype, blockRows)
        self.firstRow = firstRow / blockRows * blockRows
        self.rows = rows
        var metadata = metadata
        metadata["format"] = Self.format
        metadata["layers"] = "[" + layers.map(String.init).joined(separator: ",") + "]"
        metadata["first_row"] = String(self.firstRow)
        metadata["rows"] = rows.map { String($0) }
        self.metadata = metadata
    }

    /// Bytes of a row: its activations, its two ids and its mark.
    package var rowBytes: Int { Self.rowBytes(layers: layers.count, dModel: dModel, dtype: dtype) }

    /// The tensors of a block of some rows, in the order of their bytes.
    package func tensors(rows: Int) -> [(name: String, dtype: TensorDType, shape: [Int])] {
        [
            (name: "token_ids", dtype: .i64, shape: [rows]), (name: "document_ids", dtype: .i64, shape: [rows]),
            (name: "activations", dtype: dtype, shape: [rows, layers.count, dModel]),
            (name: "is_prefix", dtype: .u8, shape: [rows]),
        ]
    }

    /// The bytes at the beginning of the stream.
    ///
    /// - Throws: `SafetensorsError.cannotWrite` for a block too large.
    package func bytes() throws(SafetensorsError) -> [UInt8] {
        try BlockHeader.bytes(describing: tensors(rows: blockRows), metadata: metadata, path: "the stream")
    }

    /// What has to be the same for two streams to hold the same rows: all but where they begin and end.
    package var identity: [String: String] {
        var identity = metadata.filter { !["first_row", "rows"].contains($0.key) }
        identity["dtype"] = dtype.rawValue.lowercased()
        identity["width"] = String(dModel)
        identity["block_rows"] = String(blockRows)
        return identity
    }

    /// The stream as an input of a run: the model's name, and the SHA-256 of `identity` as canonical JSON.
    package var input: RunInput {
        get throws {
            let json = try canonicalJSON(identity)
            let digest = SHA256.hash(data: Data(json.utf8)).map { String(format: "%02x", $0) }.joined()
            return RunInput(
                role: "activations", name: "stream of \(metadata["model"] ?? "an unnamed model")", sha256: digest,
                bytes: json.utf8.count)
        }
    }

    private static func rowBytes(layers: Int, dModel: Int, dtype: TensorDType) -> Int {
        layers * dModel * dtype.byteCount + 2 * TensorDType.i64.byteCount + TensorDType.u8.byteCount
    }

    private static func blockRows(rowBytes: Int) -> Int {
        var rows = 4096
        while rows > 1, rows * rowBytes > 8 << 20 { rows /= 2 }
        return rows
    }
}
