import Crypto
import FeatureCatalog
import Foundation
import LanguageModel
import LinearAlgebra
import Safetensors
import Synchronization
import Tokenization

/// The identity of a model: the tensors that are read, the configuration as far as it changes the computation, and what
/// its tokenizer does. File names, sharding, formatting and unused files do not count.
///
/// Digests are computed when first asked for, then cached.
final class ModelIdentity: Sendable {
    private let model: LanguageModel
    private let tokenizer: Tokenizer
    private let workers: Workers
    private let cache = Mutex<[String: (digest: String, bytes: Int)]>([:])

    init(model: LanguageModel, tokenizer: Tokenizer, workers: Workers) {
        self.model = model
        self.tokenizer = tokenizer
        self.workers = workers
    }

    private func cached(
        _ key: String, _ make: () throws -> (digest: String, bytes: Int)
    ) rethrows -> (digest: String, bytes: Int) {
        if let known = cache.withLock({ $0[key] }) { return known }
        let made = try make()
        cache.withLock { $0[key] = made }
        return made
    }

    /// SHA-256 of the lines `name dtype [shape] sha256` of all tensors that are read, by name, and their bytes in all.
    func weights() throws -> (digest: String, bytes: Int) {
        try cached("weights") {
            let names = model.weightNames
            let lines = Mutex<[Int: Result<(line: String, bytes: Int), any Error>]>([:])
            workers.forEach(tiles: names.count) { index, _ in
                let line = Result {
                    var hash = SHA256()
                    let tensor = try model.forEachPiece(ofWeight: names[index]) { hash.update(bufferPointer: $0) }
                    let shape = tensor.shape.map(String.init).joined(separator: ",")
                    let digest = hexadecimal(hash.finalize())
                    return (
                        line: "\(names[index]) \(tensor.dtype.rawValue) [\(shape)] \(digest)\n",
                        bytes: tensor.byteRange.count
                    )
                }
                lines.withLock { $0[index] = line }
            }

            let all = try lines.withLock { lines in try names.indices.compactMap { try lines[$0]?.get() } }
            return (sha256(of: Data(all.map(\.line).joined().utf8)), all.reduce(0) { $0 + $1.bytes })
        }
    }

    /// SHA-256 of the configuration's part in the computation, and, if asked for, of the end tokens.
    func configuration(withEnds: Bool = false) -> (digest: String, bytes: Int) {
        let configuration = model.configuration
        let ends = withEnds ? "ends \(configuration.endOfSequence.sorted())\n" : ""
        let text = Data((configuration.computation + ends).utf8)
        return (sha256(of: text), text.count)
    }

    /// SHA-256 of everything that determines the tokenizer's output.
    func tokenization() -> (digest: String, bytes: Int) {
        cached("tokenizer") {
            var hash = SHA256()
            var count = 0
            tokenizer.withCanonicalContent {
                hash.update(bufferPointer: $0)
                count += $0.count
            }
            return (hexadecimal(hash.finalize()), count)
        }
    }

    /// SHA-256 of a file, computed once.
    func file(_ path: String) throws -> (digest: String, bytes: Int) {
        try cached("file " + path) { try sha256(ofFile: path) }
    }
}
