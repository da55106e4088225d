import Safetensors

/// Writes a stream of activations: the header, full blocks as soon as their rows are there, and the end.
package final class ActivationStreamWriter {
    /// Writes bytes to where the stream goes.
    package typealias Sink = (UnsafeRawBufferPointer) throws -> Void

    private let header: ActivationStreamHeader
    private let sink: Sink
    private let width: Int
    /// The rows of the block being gathered, stored as they will be written; room for a full block.
    private var activations: UnsafeMutableRawBufferPointer
    private var tokens: [Int64] = []
    private var documents: [Int64] = []
    private var marks: [UInt8] = []
    /// Blocks written.
    private var blocks = 0
    /// The next row among those of the whole text.
    package private(set) var row: Int

    /// Writes the header.
    ///
    /// - Throws: what the sink throws; `SafetensorsError.cannotWrite` for a block too large.
    package init(_ header: ActivationStreamHeader, to sink: @escaping Sink) throws {
        self.header = header
        self.sink = sink
        width = header.layers.count * header.dModel
        row = header.firstRow
        activations = .allocate(byteCount: header.blockRows * width * header.dtype.byteCount, alignment: 64)
        try header.bytes().withUnsafeBytes(sink)
    }

    deinit { activations.deallocate() }

    /// Appends rows: `activations [rows × layers·d]`, the ids of each, and whether it is of what was fed before a text.
    ///
    /// - Throws: what the sink throws.
    package func append(
        activations values: UnsafePointer<Float>, tokens: [Int64], documents: [Int64], isPrefix: [UInt8]
    ) throws {
        precondition(
            tokens.count == documents.count && tokens.count == isPrefix.count, "every row has a token and a document")
        var start = 0
        while start < tokens.count {
            let end = min(tokens.count, start + header.blockRows - self.tokens.count)
            let bytes = width * header.dtype.byteCount
            let target = UnsafeMutableRawBufferPointer(rebasing: activations[(self.tokens.count * bytes)...])
            guard let place = target.baseAddress else { return }
            FloatConversion.narrow(
                UnsafeBufferPointer(start: values + start * width, count: (end - start) * width), dtype: header.dtype,
                into: place)
            self.tokens += tokens[start..<end]
            self.documents += documents[start..<end]
            marks += isPrefix[start..<end]
            row += end - start
            start = end
            if self.tokens.count == header.blockRows { try writeBlock() }
        }
    }

    /// Writes what is left, and the end of the stream.
    ///
    /// - Throws: what the sink throws.
    package func finish() throws {
        if !tokens.isEmpty { try writeBlock() }
        let frame = StreamFrame(kind: .done, sequence: sequence, rows: row, byteCount: 0)
        try frame.bytes.withUnsafeBytes { frame in
            try sink(frame)
            try StreamFrame.checksum([frame]).withUnsafeBytes(sink)
        }
    }

    private var sequence: Int { header.firstRow / header.blockRows + blocks }

    private func writeBlock() throws {
        let rows = tokens.count
        let frame = StreamFrame(kind: .rows, sequence: sequence, rows: rows, byteCount: rows * header.rowBytes)
        let values = UnsafeRawBufferPointer(rebasing: activations[..<(rows * width * header.dtype.byteCount)])
        let ids = (tokens + documents).map(\.littleEndian)
        try frame.bytes.withUnsafeBytes { frame in
            try ids.withUnsafeBytes { ids in
                try marks.withUnsafeBytes { marks in
                    let pieces = [frame, ids, values, marks]
                    for piece in pieces { try sink(piece) }
                    try StreamFrame.checksum(pieces).withUnsafeBytes(sink)
                }
            }
        }
        blocks += 1
        tokens = []
        documents = []
        marks = []
    }
}
