import LinearAlgebra
package import SparseCoding

/// Batches of rows that come in a fixed order: in that order, or drawn from a buffer that moves over them.
///
/// The order is defined by the rows alone, so that files and a pipe give the same batches. The buffer holds the first
/// `level` rows. Each draw takes a random row of it, and the next row takes its place; at the end of the rows the last
/// one of the buffer does. A pass ends when the buffer is empty, and the next one fills it again, so every pass delivers
/// each row once.
package final class WindowedActivationStream: ActivationStream {
    /// The decoder layers of every row, ascending.
    package let layers: [Int]
    /// Width of the residual stream.
    package let dModel: Int

    private let rows: any ActivationRows
    /// The buffer, and rows on their way to it; nil in the order of the rows.
    private let window: Window?
    private var generator: CounterGenerator?
    /// Whether the last row of the pass has been read.
    private var isOver = false
    /// The position after the last batch; reading one may fail in the middle.
    private var committed: (numbers: [String: UInt64], rows: Int)

    private struct Window {
        let buffer: ActivationBatch
        let incoming: ActivationBatch
    }

    /// Makes a stream.
    ///
    /// - Parameters:
    ///   - level: rows of the buffer; unused without a seed.
    ///   - batchTokens: rows of the batches that will be filled.
    ///   - shuffleSeed: seed of the draws; nil for the order of the rows.
    package init(_ rows: any ActivationRows, level: Int, batchTokens: Int, shuffleSeed: UInt64?) {
        precondition(level > 0 && batchTokens > 0, "a buffer and a batch hold rows")
        self.rows = rows
        let (layers, dModel) = (rows.layers, rows.dModel)
        (self.layers, self.dModel) = (layers, dModel)
        generator = shuffleSeed.map { CounterGenerator(seed: $0, stream: "window") }
        window = shuffleSeed.map { _ in
            Window(
                buffer: ActivationBatch(capacity: level, layers: layers, dModel: dModel),
                incoming: ActivationBatch(capacity: batchTokens, layers: layers, dModel: dModel))
        }
        committed = (numbers: [:], rows: 0)
        committed.numbers = numbers
    }

    /// The position of the rows and the draws.
    private var numbers: [String: UInt64] {
        var numbers = rows.numbers
        if let generator { numbers["draws"] = generator.count }
        if isOver { numbers["ended"] = 1 }
        return numbers
    }

    /// Fills the batch to its capacity.
    ///
    /// - Throws: what reading the rows throws; the stream is then at its previous position, unless another pass was begun.
    package func fill(_ batch: ActivationBatch) throws {
        batch.count = 0
        // Rows after an error are dropped.
        window?.buffer.count = committed.rows
        while batch.count < batch.capacity {
            let before = batch.count
            if let window { try draw(from: window, into: batch) } else { try take(into: batch) }
            guard batch.count == before, isOver else { continue }
            try rows.startOver()
            isOver = false
        }
        committed = (numbers: numbers, rows: window?.buffer.count ?? 0)
    }

    /// Appends rows in their order.
    private func take(into batch: ActivationBatch) throws {
        let wanted = batch.capacity - batch.count
        isOver = try rows.append(wanted, to: batch) < wanted
    }

    /// Appends rows drawn from the buffer, all that the pass has left.
    private func draw(from window: Window, into batch: ActivationBatch) throws {
        let (buffer, incoming) = (window.buffer, window.incoming)
        let wanted = min(batch.capacity - batch.count, incoming.capacity)
        incoming.count = 0
        if !isOver {
            let missing = buffer.capacity - buffer.count
            isOver = try rows.append(missing, to: buffer) < missing
        }
        if !isOver { isOver = try rows.append(wanted, to: incoming) < wanted }
        // Rows that are read once cannot fill the batch: that is known before anything is drawn.
        if buffer.count + incoming.count < wanted, let once = rows as? any SinglePassRows { throw once.exhausted }
        for place in 0..<min(wanted, buffer.count + incoming.count) {
            guard let chosen = generator?.index(below: buffer.count) else { return }
            batch.copyRow(batch.count, from: buffer, row: chosen)
            batch.count += 1
            if place < incoming.count {
                buffer.copyRow(chosen, from: incoming, row: place)
            } else {
                buffer.count -= 1
                if chosen != buffer.count { buffer.copyRow(chosen, from: buffer, row: buffer.count) }
            }
        }
    }

    /// The position of the rows, the draws and the buffer.
    package var position: StreamPosition {
        StreamPosition(numbers: committed.numbers, buffer: window?.buffer, waiting: 0..<committed.rows)
    }

    /// Resumes at a position.
    ///
    /// - Throws: `TrainingError.mismatch` for a position of other rows; what resuming the rows throws.
    package func resume(at position: StreamPosition) throws {
        try rows.resume(at: position)
        isOver = position.numbers["ended"] == 1
        if let window {
            generator = generator?.entered(at: UInt64(try position.number("draws", upTo: .max)))
            guard let waiting = position.buffer, waiting.dModel == dModel, waiting.layers == layers,
                position.waiting.count <= window.buffer.capacity
            else {
                throw TrainingError.mismatch(
                    path: "checkpoint",
                    what: "the tokens that wait in its buffer are not of this stream and these layers")
            }
            window.buffer.count = position.waiting.count
            for (row, source) in position.waiting.enumerated() {
                window.buffer.copyRow(row, from: waiting, row: source)
            }
        }
        committed = (numbers: position.numbers, rows: position.waiting.count)
    }
}
