import DictionaryExchange
import Foundation
import TestSupport
import Testing

/// The path of a file that tools/make_weight_file_fixtures.py made.
func weightFixture(_ name: String) -> String {
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/weight-files").appending(path: name).path
}

/// What torch and NumPy read of one tensor of a fixture.
struct ExpectedTensor: Decodable {
    let dtype: String
    let shape: [Int]
    let values: [Double]

    /// All fixtures that can be read: file, tensor, values.
    static func all() throws -> [String: [String: ExpectedTensor]] {
        try JSONDecoder().decode(
            [String: [String: ExpectedTensor]].self,
            from: Data(contentsOf: URL(filePath: weightFixture("expected.json"))))
    }
}

/// The message of the error that `body` throws, without the path in front; nil if it throws none.
func weightFileProblem(_ body: () throws -> Void) -> String? {
    do { try body() } catch {
        guard let error = error as? WeightFileError else { return "another error: \(error)" }
        return error.problem
    }
    return nil
}

/// Expects a file of these bytes to be refused with a message that has a text in it, on one line.
func expectRefusal(
    _ bytes: [UInt8], _ part: String, sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let directory = try TemporaryDirectory()
    let path = try directory.write(bytes, as: "file")
    let problem = weightFileProblem { _ = try WeightFileFormat.open(path) }
    #expect(problem?.contains(part) == true, "\(problem ?? "it was read")", sourceLocation: sourceLocation)
    #expect(problem?.contains("\n") != true, sourceLocation: sourceLocation)
}

extension TemporaryDirectory {
    /// Writes a file into the directory and returns its path.
    func write(_ bytes: [UInt8], as name: String) throws -> String {
        try Data(bytes).write(to: URL(filePath: file(name)))
        return file(name)
    }
}

/// The low bytes of a number, lowest first.
func littleEndian(_ value: UInt64, _ width: Int) -> [UInt8] {
    (0..<width).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
}

/// The bytes of floats as they are stored.
func stored(_ floats: [Float]) -> [UInt8] { floats.flatMap { littleEndian(UInt64($0.bitPattern), 4) } }

/// The CRC-32 of zip archives, a bit at a time.
func naiveCRC(_ bytes: [UInt8]) -> UInt32 {
    var state = UInt32.max
    for byte in bytes {
        state ^= UInt32(byte)
        for _ in 0..<8 { state = state & 1 == 1 ? (state >> 1) ^ 0xEDB8_8320 : state >> 1 }
    }
    return ~state
}
