import CKernels
import LinearAlgebra
import Safetensors
package import SparseCoding
package import SparseTraining

/// The rows of a stream, each read once. What is resumed skips the rows that were read before, and checks that they are
/// the same.
package final class PipedRows: SinglePassRows {
    /// The decoder layers that are delivered, some or all of the stream's.
    package let layers: [Int]
    /// Width of the residual stream.
    package let dModel: Int

    private let stream: PipedActivations
    private let includesPrefix: Bool
    /// The layers' places among the stream's.
    private let places: [Int]
    /// One layer of a row, for checks.
    private let scratch: Matrix
    /// The first row of the block that was checked last.
    private var checked = -1
    /// The next row among those of the whole text.
    private var row = 0
    /// Digest of the blocks before that of the next row.
    private var before = StreamDigest()
    /// Digest with the block of the next row, where some of its rows have been read.
    private var after: StreamDigest?

    /// Reads layers of a stream.
    ///
    /// - Parameters:
    ///   - layers: some of the stream's, ascending.
    ///   - includesPrefix: whether rows of tokens put before a text are delivered.
    package init(_ stream: PipedActivations, layers: [Int], includesPrefix: Bool) {
        self.stream = stream
        self.layers = layers
        self.includesPrefix = includesPrefix
        dModel = stream.header.dModel
        places = layers.compactMap { stream.header.layers.firstIndex(of: $0) }
        scratch = Matrix(rows: 1, columns: dModel)
        precondition(places.count == layers.count, "the stream has the layers asked for")
    }

    /// The next row, and the digest of what was read.
    package var numbers: [String: UInt64] {
        var numbers = before.numbers("before")
        if let after { numbers.merge(after.numbers("after")) { $1 } }
        numbers["row"] = UInt64(row)
        return numbers
    }

    /// Says that the stream is too short.
    package var exhausted: TrainingError {
        .mismatch(
            path: stream.name,
            what: "the stream is complete after \(row) rows, which are fewer than training needs; stream more text, or "
                + "train anew with fewer `tokens`")
    }

    /// The first row of the block that a producer has to begin with for a stream to be resumed here.
    package static func restart(_ numbers: [String: UInt64], _ header: ActivationStreamHeader) -> Int {
        Int(clamping: numbers["row"] ?? 0) / header.blockRows * header.blockRows
    }

    /// Appends the next rows.
    ///
    /// - Throws: `WorkflowError.interrupted` where the stream is cut off or damaged on the way, or the wait is over;
    ///   `.badInput` for a stream that does not keep to its form, or rows that cannot be used.
    package func append(_ count: Int, to batch: ActivationBatch) throws -> Int {
        precondition(batch.count + count <= batch.capacity, "the batch has no room")
        var appended = 0
        while appended < count, let block = try block() {
            if block.firstRow != checked {
                try check(block)
                checked = block.firstRow
            }
            var place = row - block.firstRow
            while place < block.rows, appended < count {
                if take(place, of: block, into: batch) { appended += 1 }
                place += 1
            }
            pass(to: place, of: block)
        }
        return appended
    }

    /// The block of the next row; nil at the end of the stream.
    private func block() throws -> StreamBlock? {
        switch try stream.blocks.peek() {
        case .failure(let error): throw error
        case .end: return nil
        case .block(let block):
            guard (block.firstRow..<block.firstRow + block.rows).contains(row) else {
                throw WorkflowError.badInput(
                    path: stream.name,
                    problem: "the stream begins at row \(block.firstRow); training goes on at row \(row)")
            }
            return block
        }
    }

    /// Moves on within a block, or to the next one.
    private func pass(to place: Int, of block: StreamBlock) {
        row = block.firstRow + place
        if after == nil {
            after = before
            after?.add(checksum: block.checksum)
        }
        guard place == block.rows, let done = after else { return }
        // A block that is not full is the last one. Once removed it may be filled again, by the thread that reads ahead.
        let isFull = block.rows == stream.header.blockRows
        stream.blocks.removeFirst()
        guard isFull else { return }
        before = done
        after = nil
    }

    /// Checks the rows of a block before any of them is used, so that none of a block that is put right has been.
    private func check(_ block: StreamBlock) throws(WorkflowError) {
        for place in 0..<block.rows {
            let mark = block.mark(place)
            guard mark <= 1 else { throw bad(block, place, "is_prefix is \(mark); allowed: 0 and 1") }
            guard let token = Int32(exactly: block.token(place)) else {
                throw bad(block, place, "token id \(block.token(place)) is not a 32-bit number")
            }
            if mark == 1 && !includesPrefix { continue }
            let values = scratch.pointer
            for (index, layer) in places.enumerated() {
                widen(block, place, layer, into: values)
                // What cannot be squared cannot be standardised either.
                guard rsae_dot(values, values, Int64(dModel)).isFinite else {
                    throw bad(
                        block, place,
                        "an activation holds an infinity or a NaN, or is too large to square (layer \(layers[index]), a token "
                            + "of id \(token) in document \(block.document(place)))")
                }
            }
        }
    }

    /// Appends a checked row of a block, unless it is left out.
    private func take(_ place: Int, of block: StreamBlock, into batch: ActivationBatch) -> Bool {
        if block.mark(place) == 1 && !includesPrefix { return false }
        let target = batch.values.row(batch.count)
        for (index, layer) in places.enumerated() { widen(block, place, layer, into: target + index * dModel) }
        batch.tokenIDs[batch.count] = Int32(truncatingIfNeeded: block.token(place))
        batch.documentIDs[batch.count] = block.document(place)
        batch.drawKeys[batch.count] = ActivationBatch.drawKey(document: 0, position: block.firstRow + place)
        batch.count += 1
        return true
    }

    private func widen(_ block: StreamBlock, _ place: Int, _ layer: Int, into target: UnsafeMutablePointer<Float>) {
        FloatConversion.widen(block.activations(place, layer: layer), dtype: stream.header.dtype, into: target)
    }

    private func bad(_ block: StreamBlock, _ place: Int, _ problem: String) -> WorkflowError {
        .badInput(path: stream.name, problem: "row \(block.firstRow + place) of the stream: \(problem)")
    }

    /// Skips the rows that were read, from the beginning of the text or from the block of the next row on.
    ///
    /// - Throws: `TrainingError.mismatch` for a stream of other rows, or one that begins behind the position; what
    ///   `append` throws.
    package func resume(at position: StreamPosition) throws {
        let target = try position.number("row", upTo: ActivationStreamHeader.mostRows)
        let restart = Self.restart(position.numbers, stream.header)
        guard let readBefore = StreamDigest(position.numbers, "before") else {
            throw TrainingError.mismatch(path: "checkpoint", what: "the digest of the rows that were read is missing")
        }
        guard stream.header.firstRow <= restart else {
            throw TrainingError.mismatch(
                path: stream.name,
                what:
                    "the stream begins at row \(stream.header.firstRow); training goes on in the block that begins at row "
                    + "\(restart), so let the producer begin there (`fromToken` \(restart)) or at 0")
        }
        row = stream.header.firstRow
        while row < restart { try skip() }
        if stream.header.firstRow == 0, before != readBefore { throw differs(until: restart) }
        before = readBefore
        after = nil
        if let readAfter = StreamDigest(position.numbers, "after") {
            guard let block = try block() else { throw differs(until: target) }
            pass(to: min(target - block.firstRow, block.rows), of: block)
            guard row == target, after == readAfter || before == readAfter else { throw differs(until: target) }
        }
        if position.numbers["ended"] == 1, try self.block() != nil {
            throw TrainingError.mismatch(
                path: stream.name,
                what: "the stream goes on after row \(row), where the one that training read was complete")
        }
    }

    /// Skips what is left of a block.
    private func skip() throws {
        guard let block = try block() else { throw differs(until: row) }
        pass(to: block.rows, of: block)
    }

    private func differs(until row: Int) -> TrainingError {
        .mismatch(
            path: stream.name,
            what: "the rows before row \(row) are not those that training read; a resumed run needs the same stream")
    }
}
