import ActivationPipeline
import Foundation
import Safetensors

/// The firings of a range of latents, one of the files of a `DelphiCache`: kept aside until their number is known.
final class DelphiSplit {
    /// A firing in the spool: sequence u32, latent u32, position u16, activation f16.
    private static let recordByteCount = 12
    private static let recordsAtOnce = 1 << 14
    /// The latents.
    let latents: Range<Int>
    private let spool: SpoolFile
    /// Firings in all sequences, and in the last.
    private var count = 0
    private var last = (sequence: -1, count: 0)

    /// Prepares for the latents of a range.
    ///
    /// - Throws: `WorkflowError.cannotWrite`.
    init(_ latents: Range<Int>, in folder: String) throws(WorkflowError) {
        self.latents = latents
        spool = try SpoolFile("\(folder)/\(latents.lowerBound).spool")
    }

    /// Adds a firing; sequences have to come in ascending order.
    ///
    /// - Throws: `WorkflowError.cannotWrite`.
    func append(sequence: Int, position: Int, latent: Int, activation: Float16) throws(WorkflowError) {
        if sequence != last.sequence { last = (sequence, 0) }
        last.count += 1
        count += 1
        var record: [UInt8] = []
        record.reserveCapacity(Self.recordByteCount)
        let (sequence, latent) = (
            UInt32(truncatingIfNeeded: sequence), UInt32(truncatingIfNeeded: latent - latents.lowerBound)
        )
        withUnsafeBytes(of: sequence.littleEndian) { record.append(contentsOf: $0) }
        withUnsafeBytes(of: latent.littleEndian) { record.append(contentsOf: $0) }
        withUnsafeBytes(of: UInt16(truncatingIfNeeded: position).littleEndian) { record.append(contentsOf: $0) }
        withUnsafeBytes(of: activation.bitPattern.littleEndian) { record.append(contentsOf: $0) }
        try spool.append(record)
    }

    /// Writes `FIRST_LAST.safetensors` and removes the spool.
    ///
    /// - Parameters:
    ///   - sequences: the whole ones; firings beyond are left out.
    ///   - length: tokens of a sequence.
    ///   - tokens: their tokens in 32 bits, read from the start.
    /// - Throws: `SafetensorsError`, `WorkflowError.cannotWrite`.
    func write(to folder: String, sequences: Int, length: Int, tokens: SpoolFile) throws {
        let count = last.sequence >= sequences ? count - last.count : count
        // As delphi chooses it, so that its own reader and others find what they expect.
        let isShort = sequences <= 1 << 16 && latents.count <= 1 << 16
        let writer = try SafetensorsWriter(
            path: "\(folder)/\(latents.lowerBound)_\(latents.upperBound - 1).safetensors",
            tensors: [
                ("locations", isShort ? .u16 : .u32, [count, 3]), ("activations", .f16, [count]),
                ("tokens", .i64, [sequences, length]),
            ])
        try spool.rewind()
        for start in stride(from: 0, to: count, by: Self.recordsAtOnce) {
            let some = min(Self.recordsAtOnce, count - start)
            let bytes = try spool.read(some * Self.recordByteCount)
            var locations: [Int64] = []
            var activations: [Float] = []
            for first in stride(from: 0, to: bytes.count, by: Self.recordByteCount) {
                let sequence = Self.number(bytes, at: first, byteCount: 4)
                let latent = Self.number(bytes, at: first + 4, byteCount: 4)
                let position = Self.number(bytes, at: first + 8, byteCount: 2)
                let bits = Self.number(bytes, at: first + 10, byteCount: 2)
                locations += [Int64(sequence), Int64(position), Int64(latent)]
                activations.append(Float(Float16(bitPattern: UInt16(truncatingIfNeeded: bits))))
            }
            try writer.append("locations", integers: locations)
            try writer.append("activations", floats: activations)
        }
        try tokens.rewind()
        for start in stride(from: 0, to: sequences * length, by: Self.recordsAtOnce) {
            let bytes = try tokens.read(4 * min(Self.recordsAtOnce, sequences * length - start))
            let some = stride(from: 0, to: bytes.count, by: 4).map { Int64(Self.number(bytes, at: $0, byteCount: 4)) }
            try writer.append("tokens", integers: some)
        }
        try writer.finish()
        spool.remove()
    }

    /// A little-endian number.
    private static func number(_ bytes: [UInt8], at place: Int, byteCount: Int) -> UInt32 {
        var number: UInt32 = 0
        for index in (0..<byteCount).reversed() { number = number << 8 | UInt32(bytes[place + index]) }
        return number
    }
}
