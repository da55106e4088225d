package import LinearAlgebra

/// The final norm's weight and the unembedding matrix, which may be too
/// large for memory.
package struct Unembedding: Sendable {
    /// Rows of the matrix: the model's vocabulary, with the rows that only pad it.
    package let vocabularySize: Int
    /// Width of the residual stream.
    package let dModel: Int
    /// Weight of the final norm, times the model's factor of logits, `[1 × dModel]`.
    package let normWeight: Matrix
    /// Whether the final norm takes the mean from what it reads.
    package let centres: Bool

    private let source: Source

    private enum Source: Sendable {
        case matrix(Matrix)
        case weights(ModelWeights)
    }

    /// The most rows returned at a time.
    package static let block = ModelWeights.unembeddingBlock

    /// Takes an unembedding that is in memory.
    ///
    /// - Parameters:
    ///   - matrix: `[vocabularySize × dModel]`, row-major.
    ///   - normWeight: `[1 × dModel]`.
    ///   - centres: whether the final norm takes the mean from what it reads.
    /// - Precondition: both are equally wide.
    package init(matrix: Matrix, normWeight: Matrix, centres: Bool = false) {
        precondition(normWeight.count == matrix.columns, "a norm of \(normWeight.count) for \(matrix.columns) columns")
        vocabularySize = matrix.rows
        dModel = matrix.columns
        self.normWeight = normWeight
        self.centres = centres
        source = .matrix(matrix)
    }

    init(_ weights: ModelWeights, configuration: LanguageModelConfiguration) {
        vocabularySize = configuration.vocabularySize
        dModel = configuration.dModel
        centres = configuration.norm == .layer
        let scale = configuration.logitScale
        normWeight =
            scale == 1
            ? weights.finalNorm
            : Matrix(rows: 1, columns: dModel, elements: weights.finalNorm.elements.map { $0 * scale })
        source = .weights(weights)
    }

    /// Hands out the rows of a range of tokens, `[tokens × dModel]`, row-major, valid during the call.
    ///
    /// - Parameter scratch: made at the first call that needs it, for the caller to keep from one call to the next.
    /// - Throws: `LanguageModelError.nonFiniteWeight`, and what `body` throws.
    /// - Precondition: the range is within the vocabulary and no longer than `block`.
    package func withRows<Result>(
        of tokens: Range<Int>, scratch: inout Matrix?, _ body: (UnsafePointer<Float>) throws -> Result
    ) throws -> Result {
        precondition(
            tokens.lowerBound >= 0 && tokens.upperBound <= vocabularySize && tokens.count <= Unembedding.block,
            "rows \(tokens) of an unembedding of \(vocabularySize)")
        switch source {
        case .matrix(let matrix):
            return try withExtendedLifetime(matrix) { try body(matrix.row(tokens.lowerBound)) }
        case .weights(let weights):
            let rows = try weights.unembedding(of: tokens, scratch: &scratch)
            return try withExtendedLifetime((weights, scratch)) { try body(rows) }
        }
    }
}
