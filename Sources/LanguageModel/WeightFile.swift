import CKernels
import LinearAlgebra
import Safetensors

/// The tensors of a checkpoint, checked against the configuration and widened to fp32 on demand.
struct WeightFile: Sendable {
    static let embeddingName = "model.embed_tokens.weight"
    static let finalNormName = "model.norm.weight"
    static let unembeddingName = "lm_head.weight"

    private let collection: SafetensorsCollection

    /// Opens the weights of a model directory and checks that every tensor is there, in the right shape.
    ///
    /// - Throws: `.weights`, `.tensorShape`.
    init(
        directory: String, configuration: LanguageModelConfiguration, layout: LayerLayout
    ) throws(LanguageModelError) {
        do {
            collection = try SafetensorsCollection(directory: directory)
        } catch {
            throw .weights(error)
        }
        let embedding = [configuration.vocabularySize, configuration.dModel]
        try check(Self.embeddingName, shape: embedding)
        for layer in 0..<configuration.layerCount {
            for entry in layout.entries { try check(Self.name(of: entry, layer: layer), shape: entry.shape) }
        }
        try check(Self.finalNormName, shape: [configuration.dModel])
        if !configuration.tiesEmbeddings { try check(Self.unembeddingName, shape: embedding) }
    }

    /// The checkpoint's name of a layer's tensor.
    static func name(of entry: LayerLayout.Entry, layer: Int) -> String {
        "model.layers.\(layer).\(entry.name)"
    }

    private func check(_ name: String, shape: [Int]) throws(LanguageModelError) {
        do {
            let file = try collection.file(of: name)
            let tensor = try file.tensor(name)
            guard tensor.shape == shape else {
                throw LanguageModelError.tensorShape(name: name, path: file.path, expected: shape, found: tensor.shape)
            }
            guard tensor.dtype.isConvertibleToFloat else {
                throw SafetensorsError.wrongDType(
                    name: name, path: file.path, expected: "F64, F32, F16 or BF16", found: tensor.dtype)
            }
        } catch let error as SafetensorsError {
            throw .weights(error)
        } catch let error as LanguageModelError {
            throw error
        } catch {
            preconditionFailure("\(error)")
        }
    }

    /// Widens some elements of a tensor, counted row-major.
    ///
    /// - Throws: `.nonFiniteWeight`.
    func read(
        _ name: String, elements: Range<Int>, into target: UnsafeMutablePointer<Float>
    ) throws(LanguageModelError) {
        do {
            try collection.readFloats(name, elements: elements, into: target)
        } catch {
            throw .weights(error)
        }
        let bad = Int(rsae_first_non_finite(target, Int64(elements.count)))
        guard bad < 0 else {
            throw .nonFiniteWeight(
                name: name, path: (try? collection.file(of: name).path) ?? "", element: elements.lowerBound + bad)
        }
    }

    /// Widens some elements of a tensor on all workers.
    ///
    /// - Throws: `.nonFiniteWeight`.
    func read(
        _ name: String, elements: Range<Int>, into target: UnsafeMutablePointer<Float>, workers: Workers
    ) throws(LanguageModelError) {
        try readPieces([(name, elements, target)], workers: workers)
    }

    /// Widens all weights of a layer into a buffer.
    ///
    /// - Throws: `.nonFiniteWeight`.
    func read(layer: Int, layout: LayerLayout, into buffer: Matrix, workers: Workers) throws(LanguageModelError) {
        try readPieces(
            layout.entries.map { entry in
                (Self.name(of: entry, layer: layer), 0..<entry.count, buffer.pointer + entry.offset)
            }, workers: workers)
    }

    /// Pieces small enough to be shared out, and to be in the cache still when they are checked.
    private static let pieceElements = 1 << 18

    private typealias Piece = (name: String, elements: Range<Int>, target: UnsafeMutablePointer<Float>)

    private func readPieces(_ tensors: [Piece], workers: Workers) throws(LanguageModelError) {
        let pieces: [Piece] = tensors.flatMap { tensor in
            stride(from: 0, to: tensor.elements.count, by: Self.pieceElements).map { first in
                let begin = tensor.elements.lowerBound + first
                let end = min(begin + Self.pieceElements, tensor.elements.upperBound)
                return (tensor.name, begin..<end, tensor.target + first)
            }
        }
        var failures = [LanguageModelError?](repeating: nil, count: pieces.count)
        failures.withUnsafeMutableBufferPointer { failures in
            workers.forEach(tiles: pieces.count) { index, _ in
                do throws(LanguageModelError) {
                    try read(pieces[index].name, elements: pieces[index].elements, into: pieces[index].target)
                } catch {
                    failures[index] = error
                }
            }
        }
        for case let failure? in failures { throw failure }
    }
}
