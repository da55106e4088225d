import Foundation

/// The blocks of a stream, read ahead by a thread of their own, so that the producer works while blocks are used. The
/// thread waits when it is `ahead` blocks in front, and then so does the producer.
final class StreamBlocks: @unchecked Sendable {
    /// What comes next.
    enum Item {
        case block(StreamBlock)
        /// The stream is whole; it had so many rows, counted from the beginning of the text.
        case end(rows: Int)
        case failure(WorkflowError)
    }

    private let header: ActivationStreamHeader
    private let input: StreamInput
    private let reader: PipeReader
    /// Guards what follows.
    private let condition = NSCondition()
    private var items: [Item] = []
    /// Blocks that may be filled.
    private var free: [StreamBlock] = []
    private var blocksMade = 0
    private let ahead: Int
    private var isStopped = false
    /// Blocks read so far, for the reading thread.
    private var done = 0

    /// Seconds without a byte after which the user is told.
    private static let silence = 60.0

    /// Starts to read.
    ///
    /// - Parameter ahead: blocks held at once, at least two.
    init(_ header: ActivationStreamHeader, _ input: StreamInput, _ reader: PipeReader, ahead: Int) {
        (self.header, self.input, self.reader, self.ahead) = (header, input, reader, max(ahead, 2))
    }

    /// Starts the thread, which lives until the end of the stream or `stop()`.
    func start() {
        Thread { [self] in
            while let item = readItem() {
                put(item)
                guard case .block = item else { return }
            }
        }.start()
    }

    /// Ends the thread within a moment.
    func stop() {
        condition.withLock {
            isStopped = true
            condition.broadcast()
        }
    }

    /// The next item, which stays.
    ///
    /// - Throws: `WorkflowError.interrupted` where the input says that the wait is over.
    func peek() throws(WorkflowError) -> Item {
        condition.lock()
        defer { condition.unlock() }
        let begun = Date()
        var isSilent = false
        while true {
            if input.cancelled() { throw .interrupted("\(input.name): stopped while waiting for the stream") }
            if let item = items.first { return item }
            _ = condition.wait(until: Date(timeIntervalSinceNow: 0.2))
            if !isSilent, Date().timeIntervalSince(begun) > Self.silence {
                isSilent = true
                input.remark("\(input.name): the stream has sent nothing for a minute; waiting")
            }
        }
    }

    /// Removes the next item; a block may be filled again from then on.
    func removeFirst() {
        condition.withLock {
            if case .block(let block) = items.removeFirst() { free.append(block) }
            condition.broadcast()
        }
    }

    private func put(_ item: Item) {
        condition.withLock {
            items.append(item)
            condition.broadcast()
        }
    }

    /// A block to fill, once there is one; nil after `stop()`.
    private func freeBlock() -> StreamBlock? {
        condition.lock()
        defer { condition.unlock() }
        while !isStopped {
            if let block = free.popLast() { return block }
            if blocksMade < ahead {
                blocksMade += 1
                return StreamBlock(header)
            }
            condition.wait()
        }
        return nil
    }

    /// Reads what comes next; nil after `stop()`.
    private func readItem() -> Item? {
        guard let block = freeBlock() else { return nil }
        do {
            let item = try read(into: block)
            if case .end = item { condition.withLock { free.append(block) } }
            return item
        } catch let error as WorkflowError {
            return .failure(error)
        } catch PipeReader.Failure.unreadable(let reason) {
            return .failure(.interrupted("\(input.name): cannot be read (\(reason)) \(place)"))
        } catch {
            return nil
        }
    }

    private func read(into block: StreamBlock) throws -> Item {
        var frameBytes = [UInt8](repeating: 0, count: StreamFrame.length)
        try fill(&frameBytes)
        guard let frame = frameBytes.withUnsafeBytes({ StreamFrame($0) }) else {
            throw bad("what follows is neither a block nor the end")
        }
        let sequence = header.firstRow / header.blockRows + done
        guard frame.sequence == sequence else {
            throw bad(
                "block \(frame.sequence) follows, expected block \(sequence); the producer lost or reordered blocks")
        }
        if frame.kind == .rows { try check(frame) }

        let rows = UnsafeMutableRawBufferPointer(rebasing: block.memory[..<(frame.kind == .rows ? frame.byteCount : 0)])
        guard try reader.read(into: rows, stopped: { condition.withLock { isStopped } }) == rows.count else {
            throw cut
        }
        var checksum = [UInt8](repeating: 0, count: StreamFrame.checksumLength)
        try fill(&checksum)
        let found = frameBytes.withUnsafeBytes { StreamFrame.checksum([$0, UnsafeRawBufferPointer(rows)]) }
        guard found == checksum else {
            throw WorkflowError.interrupted(
                "\(input.name): block \(sequence) does not match its checksum; its bytes were damaged on the way")
        }

        if frame.kind == .done {
            try check(end: frame)
            return .end(rows: frame.rows)
        }
        block.firstRow = sequence * header.blockRows
        block.rows = frame.rows
        block.checksum = checksum
        lastRow = block.firstRow + frame.rows
        done += 1
        return .block(block)
    }

    /// The row after the last one read, for the reading thread.
    private lazy var lastRow = header.firstRow

    private func check(_ frame: StreamFrame) throws(WorkflowError) {
        guard (1...header.blockRows).contains(frame.rows), frame.byteCount == frame.rows * header.rowBytes else {
            throw bad(
                "block \(frame.sequence) has \(frame.rows) rows in \(frame.byteCount) bytes; expected up to "
                    + "\(header.blockRows) rows of \(header.rowBytes) bytes")
        }
        guard lastRow.isMultiple(of: header.blockRows) else {
            throw bad("block \(frame.sequence) follows one of fewer than \(header.blockRows) rows, which is the last")
        }
    }

    private func check(end frame: StreamFrame) throws(WorkflowError) {
        // A last block that is not full has a number as well, so the next number tells nothing about the rows.
        guard frame.byteCount == 0, frame.rows == lastRow else {
            throw bad("it ends after \(frame.rows) rows by its own account; \(lastRow) came")
        }
        if let rows = header.rows, rows != frame.rows {
            throw bad("it ends after \(frame.rows) rows; its header announced \(rows)")
        }
    }

    private func fill(_ bytes: inout [UInt8]) throws {
        let count = bytes.count
        let read = try bytes.withUnsafeMutableBytes { buffer in
            try reader.read(into: buffer, stopped: { condition.withLock { isStopped } })
        }
        guard read == count else { throw cut }
    }

    private var place: String { "after row \(lastRow)" }

    private func bad(_ problem: String) -> WorkflowError {
        .badInput(path: input.name, problem: "the stream is damaged \(place): \(problem)")
    }

    private var cut: WorkflowError {
        .interrupted("\(input.name): the stream was cut off \(place), before its end")
    }
}
