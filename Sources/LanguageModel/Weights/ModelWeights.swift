import LinearAlgebra
import Tokenization

/// A model's weights: in memory, packed for products, or read from the file when a pass needs them.
final class ModelWeights: Sendable {
    let layout: LayerLayout
    /// `model.norm.weight`, `[dModel]`.
    let finalNorm: Matrix
    /// The tensors as they are stored.
    let file: WeightFile
    /// Whether everything is in memory.
    var isResident: Bool { residentLayers != nil }

    private let configuration: LanguageModelConfiguration
    private let workers: Workers
    /// The layers; for an unusable one the error.
    private let residentLayers: [Result<ResidentLayer, LanguageModelError>]?
    private let residentEmbedding: ResidentRows?
    /// The embedding itself if they are tied.
    private let residentUnembedding: ResidentRows?

    /// How many rows of the unembedding are widened at a time where it is not in memory.
    static let unembeddingBlock = 4096

    /// Opens the weights of a model directory.
    ///
    /// - Throws: `.weights`, `.tensorShape`, `.nonFiniteWeight` for the final norm.
    init(
        directory: String, configuration: LanguageModelConfiguration, workers: Workers, residency: WeightResidency
    ) throws(LanguageModelError) {
        self.configuration = configuration
        self.workers = workers
        layout = LayerLayout(configuration)
        file = try WeightFile(directory: directory, configuration: configuration, layout: layout)
        finalNorm = Matrix(rows: 1, columns: configuration.dModel)
        try file.read(WeightFile.finalNormName, elements: 0..<configuration.dModel, into: finalNorm.pointer)

        let resident =
            switch residency {
            case .resident: true
            case .streamed: false
            case .automatic: configuration.parameterCount * 4 < WeightResidency.automaticLimit
            }
        guard resident else {
            (residentLayers, residentEmbedding, residentUnembedding) = (nil, nil, nil)
            return
        }

        var layers: [Result<ResidentLayer, LanguageModelError>] = []
        let buffer = Matrix(rows: 1, columns: layout.count)
        for layer in 0..<configuration.layerCount {
            do throws(LanguageModelError) {
                let resident = try ResidentLayer(
                    layer, of: file, model: configuration, layout: layout, buffer: buffer, workers: workers)
                layers.append(.success(resident))
            } catch {
                layers.append(.failure(error))
            }
        }
        residentLayers = layers
        let (rows, d) = (configuration.vocabularySize, configuration.dModel)
        let embedding = try ResidentRows(WeightFile.embeddingName, of: file, rows: rows, columns: d, workers: workers)
        residentEmbedding = embedding
        if configuration.tiesEmbeddings {
            residentUnembedding = embedding
        } else if file.hasUnembedding {
            residentUnembedding = try ResidentRows(
                WeightFile.unembeddingName, of: file, rows: rows, columns: d, workers: workers)
        } else {
            residentUnembedding = nil
        }
    }

    /// The weights of a layer; `scratch` is allocated at the first call if the weights are not in memory.
    ///
    /// - Throws: `.nonFiniteWeight`.
    func layer(_ layer: Int, scratch: inout Matrix?) throws(LanguageModelError) -> LayerWeights {
        if let residentLayers { return LayerWeights(layout: layout, resident: try residentLayers[layer].get()) }
        let buffer = scratch ?? Matrix(rows: 1, columns: layout.count)
        scratch = buffer
        try file.read(layer: layer, layout: layout, into: buffer, workers: workers)
        return LayerWeights(layout: layout, buffer: buffer)
    }

    /// Writes the embeddings of tokens of the vocabulary to the rows of `target` `[tokens × dModel]`.
    ///
    /// - Throws: `.nonFiniteWeight`.
    func embed(_ tokens: [TokenID], into target: Matrix) throws(LanguageModelError) {
        let d = configuration.dModel
        for (row, token) in tokens.enumerated() {
            if let residentEmbedding {
                try residentEmbedding.copyRow(Int(token), to: target.row(row))
            } else {
                let first = Int(token) * d
                try file.read(WeightFile.embeddingName, elements: first..<first + d, into: target.row(row))
            }
        }
    }

    /// Checks that there is an unembedding.
    ///
    /// - Throws: `.noUnembedding`.
    func checkUnembedding() throws(LanguageModelError) {
        guard file.hasUnembedding else {
            throw .noUnembedding(name: WeightFile.unembeddingName, path: file.paths.first ?? "")
        }
    }

    /// Checks that there is an unembedding whose rows for these tokens have neither infinities nor NaNs.
    ///
    /// - Throws: `.noUnembedding`, `.nonFiniteWeight`.
    func checkUnembedding(of tokens: Range<Int>) throws(LanguageModelError) {
        try checkUnembedding()
        if let residentUnembedding { return try residentUnembedding.check(tokens) }
        var scratch: Matrix?
        for first in stride(from: tokens.lowerBound, to: tokens.upperBound, by: Self.unembeddingBlock) {
            _ = try unembedding(
                of: first..<min(first + Self.unembeddingBlock, tokens.upperBound), scratch: &scratch)
        }
    }

    /// One row of the unembedding, `[dModel]`.
    ///
    /// - Throws: `.noUnembedding`, `.nonFiniteWeight`.
    func unembeddingRow(_ token: Int) throws(LanguageModelError) -> [Float] {
        try checkUnembedding()
        let d = configuration.dModel
        let row = Matrix(rows: 1, columns: d)
        if let residentUnembedding {
            try residentUnembedding.copyRow(token, to: row.pointer)
        } else {
            try file.read(unembeddingName, elements: token * d..<(token + 1) * d, into: row.pointer)
        }
        return row.elements
    }

    /// The rows of the unembedding for a range of tokens, `[tokens × dModel]`, valid as long as this and `scratch` live
    /// and `scratch` is not used again; `scratch` is made when it is needed, with room for `unembeddingBlock` rows.
    ///
    /// - Throws: `.noUnembedding`, `.nonFiniteWeight`.
    func unembedding(
        of tokens: Range<Int>, scratch: inout Matrix?
    ) throws(LanguageModelError) -> UnsafePointer<Float> {
        try checkUnembedding()
        let d = configuration.dModel
        let rows = max(tokens.count, min(Self.unembeddingBlock, configuration.vocabularySize))
        let widened = scratch.flatMap { $0.rows >= rows ? $0 : nil } ?? Matrix(scratchRows: rows, columns: d)
        scratch = widened
        if let residentUnembedding {
            try residentUnembedding.check(tokens)
            workers.forEach(tokens.count, tile: 64) { part, _ in
                for row in part { residentUnembedding.matrix.copyRow(tokens.lowerBound + row, to: widened.row(row)) }
            }
            return UnsafePointer(widened.pointer)
        }
        try file.read(
            unembeddingName, elements: tokens.lowerBound * d..<tokens.upperBound * d, into: widened.pointer,
            workers: workers)
        return UnsafePointer(widened.pointer)
    }

    /// `rows` times the transposed unembedding, `[rows × vocabularySize]`.
    ///
    /// - Throws: `.noUnembedding`, `.nonFiniteWeight`.
    func unembed(_ rows: Matrix) throws(LanguageModelError) -> Matrix {
        let (d, vocabulary) = (configuration.dModel, configuration.vocabularySize)
        let logits = Matrix(scratchRows: rows.rows, columns: vocabulary)
        if let residentUnembedding {
            try residentUnembedding.check(0..<vocabulary)
            workers.multiply(
                rows: rows.rows, rows.pointer, stride: d, byTransposeOf: residentUnembedding.matrix,
                into: logits.pointer, stride: vocabulary)
            return logits
        }

        var scratch: Matrix?
        for first in stride(from: 0, to: vocabulary, by: Self.unembeddingBlock) {
            let tokens = first..<min(first + Self.unembeddingBlock, vocabulary)
            let weights = try unembedding(of: tokens, scratch: &scratch)
            workers.multiply(
                rows: rows.rows, columns: tokens.count, inner: d, rows.pointer, stride: d,
                byTransposeOf: weights, stride: d, into: logits.pointer + first, stride: vocabulary)
        }
        return logits
    }

    /// Bytes in memory of what one token's pass reads: the layers, the final norm, the unembedding. Nil unless the weights
    /// are in memory.
    var bytesPerToken: Int? {
        guard let residentLayers else { return nil }
        return residentLayers.reduce((residentUnembedding?.matrix.byteCount ?? 0) + finalNorm.count * 4) {
            $0 + ((try? $1.get().byteCount) ?? 0)
        }
    }

    private var unembeddingName: String {
        configuration.tiesEmbeddings ? WeightFile.embeddingName : WeightFile.unembeddingName
    }
}
