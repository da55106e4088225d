import Crypto
import Foundation

/// The pass over a text file when a corpus is opened: its digest, the positions of its documents, and its faults.
struct TextFileScan {
    /// The file's number in the corpus.
    let number: Int
    /// What its byte-order mark says.
    private(set) var encoding = TextEncoding.utf8
    private(set) var faults = TextFaults()
    /// Whether it holds nothing but white space.
    private(set) var isBlank = true

    private var line = 0
    /// Lines that are not records; and the first of them with its problem.
    private var badLines = 0
    private var firstBad: (line: Int, phrase: String)?

    init(number: Int) {
        self.number = number
    }

    /// Reads a file and appends the positions of its documents.
    ///
    /// - Throws: `WorkflowError.badInput` naming the first line that is not a record.
    mutating func run(over file: TextFile, into places: inout [TextPlace]) throws -> (sha256: String, bytes: Int) {
        var hash = SHA256()
        var bytes = 0
        let hasLines = TextFiles.isLines(file.path)
        var mark: Int?
        try file.forEachPiece(eachRead: {
            hash.update(bufferPointer: $0)
            bytes += $0.count
        }) { piece, offset, isLast in
            var skipped = 0
            if mark == nil {
                guard piece.count >= 4 || isLast else { return 0 }
                (encoding, skipped) = TextEncoding.marked(piece)
                mark = skipped
            }

            let rest = UnsafeRawBufferPointer(rebasing: piece[skipped...])
            return skipped
                + (hasLines
                    ? scan(lines: rest, at: offset + skipped, isLast, &places)
                    : scan(text: rest, at: offset + skipped, isLast))
        }

        let digest = hash.finalize()
        if let firstBad {
            let others = badLines > 1 ? "; so are \(badLines - 1) other lines of the file" : ""
            throw WorkflowError.badInput(
                path: "\(file.path):\(firstBad.line)",
                problem: "is not a JSON object with a string named 'text': \(firstBad.phrase)\(others)")
        }
        if !hasLines {
            // A blank file is an empty document: documents are numbered by files.
            places.append(
                TextPlace(
                    file: number, line: 1, range: (mark ?? 0)..<bytes, checksum: TextPlace.checksum(digest)))
            isBlank = isBlank && faults.isBlank
        }
        return (hexadecimal(digest), bytes)
    }

    private mutating func scan(text bytes: UnsafeRawBufferPointer, at offset: Int, _ isLast: Bool) -> Int {
        guard encoding == .utf8 else {
            // Decoded as a whole, as it will be when it is read.
            guard isLast else { return 0 }
            let (text, invalid, first) = encoding.utf8(of: bytes)
            faults.note(invalid: invalid, at: "byte \(offset + (first ?? 0))")
            isBlank = text.allSatisfy(TextFileScan.isSpace)
            return bytes.count
        }
        return faults.scan(utf8: bytes, isLast: isLast, countsZeros: true) { "byte \(offset + $0)" }
    }

    private mutating func scan(
        lines bytes: UnsafeRawBufferPointer, at offset: Int, _ isLast: Bool, _ places: inout [TextPlace]
    ) -> Int {
        var start = 0
        while start < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[start...])
            let length = encoding.lineFeed(in: rest)
            guard length != nil || isLast else { break }
            line += 1
            let record = UnsafeRawBufferPointer(rebasing: rest[..<(length ?? rest.count)])
            scan(record, at: offset + start, &places)
            start += length.map { $0 + encoding.unitWidth } ?? rest.count
        }
        return start
    }

    private mutating func scan(_ record: UnsafeRawBufferPointer, at offset: Int, _ places: inout [TextPlace]) {
        if encoding == .utf8 {
            if record.allSatisfy(TextFileScan.isSpace) { return }
            judge(record)
        } else {
            let (text, invalid, _) = encoding.utf8(of: record)
            if text.allSatisfy(TextFileScan.isSpace) { return }
            faults.note(invalid: invalid, at: "line \(line)")
            text.withUnsafeBytes { judge($0) }
        }
        isBlank = false
        places.append(
            TextPlace(
                file: number, line: line, range: offset..<offset + record.count,
                checksum: TextPlace.checksum(SHA256.hash(data: record))))
    }

    private mutating func judge(_ record: UnsafeRawBufferPointer) {
        do throws(TextRecord.Problem) {
            let text = try JSONStringContent(
                UnsafeRawBufferPointer(rebasing: record[try TextRecord(record).text ?? 0..<0]))
            let line = line
            text.utf8.withUnsafeBytes { bytes in
                _ = faults.scan(utf8: bytes, isLast: true, countsZeros: false) { _ in "line \(line)" }
            }
            faults.note(invalid: text.halfSurrogates, at: "line \(line)")
        } catch {
            badLines += 1
            if firstBad == nil { firstBad = (line, error.phrase) }
        }
    }

    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
}
