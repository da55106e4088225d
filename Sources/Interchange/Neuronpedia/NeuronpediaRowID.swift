import ActivationPipeline
import Foundation

/// Keys of rows: 25 characters like the cuids that Neuronpedia makes, computed from what a row is about, so that writing
/// the same export again gives the same keys, and importing it again no second rows.
enum NeuronpediaRowID {
    private static let digits = Array("0123456789abcdefghijklmnopqrstuvwxyz".utf8)
    private static let length = 24

    /// The key of what some parts, in this order, name.
    static func made(of parts: [String]) -> String {
        // No part holds a zero byte, so parts cannot be confused.
        let digest = sha256(of: Data(parts.joined(separator: "\0").utf8))
        var number = UInt128(digest.prefix(32), radix: 16) ?? 0
        var text = [UInt8](repeating: UInt8(ascii: "c"), count: length + 1)
        for place in (1...length).reversed() {
            text[place] = digits[Int(number % 36)]
            number /= 36
        }
        return String(decoding: text, as: UTF8.self)
    }
}
