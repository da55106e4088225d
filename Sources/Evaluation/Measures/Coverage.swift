import CKernels
package import LinearAlgebra

/// How much of every layer's activations is linear in the latents of the token.
///
/// Of layer l: 1 − Σ‖x_l − x̂_l‖² / Σ‖x_l − x̄_l‖² over the tokens of documents that nothing was fitted on; x is the
/// standardised activation, x̂ the ridge regression on the token's latents and x̄ the mean of the documents that it was
/// fitted on, which has a coverage of 0. A dictionary reads at most a layer or a mixture of each token; what it says of
/// the others is what its features mean across layers. Which layer was read is not told to the regression.
package struct Coverage {
    /// Firings without effect that every latent is given; see `SparseRidge`.
    static let penalty = 10.0

    private let layers: Int
    private let width: Int
    private let ridge: SparseRidge
    private var units: DocumentUnits<PlainSums>
    private var tokens = 0

    /// Starts without tokens.
    ///
    /// - Parameters:
    ///   - layers: how many layers are predicted.
    ///   - width: of a layer, d.
    package init(latents: Int, layers: Int, width: Int, workers: Workers) {
        (self.layers, self.width) = (layers, width)
        ridge = SparseRidge(latents: latents, targets: layers * width, workers: workers)
        units = DocumentUnits(empty: PlainSums(count: 3 * layers))
    }

    /// Adds tokens to fit on.
    ///
    /// - Parameter activations: standardised, `[tokens × layers · d]`.
    package func fit(_ tokens: Range<Int>, of rows: LatentRows, activations: Matrix) {
        ridge.add(tokens, of: rows, targets: activations)
    }

    /// Ends the fitting.
    package func solve(_ tokens: Range<Int>, of rows: LatentRows) {
        ridge.solve(tokens, of: rows, penalty: Self.penalty)
    }

    /// Measures tokens of documents that were not fitted on.
    ///
    /// - Parameters:
    ///   - documents: the document of each.
    ///   - baseline: squared distances from the layer's mean, and from the prediction by the token alone
    ///     `[tokens × 2 · layers]`.
    package mutating func measure(
        _ tokens: Range<Int>, of rows: LatentRows, documents: ArraySlice<Int>, activations: Matrix, baseline: Matrix,
        workers: Workers
    ) {
        let (ridge, layers, width) = (ridge, layers, width)
        let errors = Matrix(scratchRows: tokens.count, columns: layers)
        let scratch = (0..<workers.count).map { _ in Matrix(scratchRows: 1, columns: layers * width) }
        rows.withRows { rows in
            workers.forEach(tokens.count, tile: 16) { range, worker in
                let predicted = scratch[worker].pointer
                for row in range {
                    ridge.predict(rows[tokens.lowerBound + row], of: rows, into: predicted)
                    squaredDistances(predicted, activations.row(row), layers: layers, width: width, errors.row(row))
                }
            }
        }
        for (row, document) in documents.enumerated() {
            units.update(document: document) { sums in
                for layer in 0..<layers {
                    sums.values[layer] += Double(errors[row, layer])
                    sums.values[layers + layer] += Double(baseline[row, layer])
                    sums.values[2 * layers + layer] += Double(baseline[row, layers + layer])
                }
            }
        }
        self.tokens += tokens.count
    }

    /// The figures: of every layer, the mean and the least of them, and what the token alone predicts.
    package func figures(layers numbers: [Int], resamples: Int, seed: UInt64) -> [MeasuredFigure] {
        let layers = layers
        func shares(_ first: Int) -> (PlainSums) -> [Double]? {
            { sums in
                let found = (0..<layers).compactMap { layer -> Double? in
                    let total = sums.values[layers + layer]
                    return total > 0 ? 1 - sums.values[first + layer] / total : nil
                }
                return found.count == layers ? found : nil
            }
        }
        func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
        let (whole, drawn) = (units.whole, units.resampled(resamples, seed: seed))
        func figure(_ metric: String, _ layer: Int? = nil, _ value: (PlainSums) -> Double?) -> MeasuredFigure {
            MeasuredFigure(metric, layer: layer, value(whole), ResampledInterval(drawn.map(value)), tokens: tokens)
        }
        let (own, alone) = (shares(0), shares(2 * layers))
        return [
            figure("coverage") { own($0).map(mean) }, figure("coverage_min") { own($0)?.min() },
            figure("coverage_baseline") { alone($0).map(mean) },
            figure("coverage_baseline_min") { alone($0)?.min() },
        ]
            + numbers.enumerated().flatMap { place, layer in
                [
                    figure("coverage", layer) { own($0)?[place] },
                    figure("coverage_baseline", layer) { alone($0)?[place] },
                ]
            }
    }
}

/// ‖a_l − b_l‖² of each layer; `a` becomes a − b.
func squaredDistances(
    _ a: UnsafeMutablePointer<Float>, _ b: UnsafePointer<Float>, layers: Int, width: Int,
    _ squares: UnsafeMutablePointer<Float>
) {
    rsae_add_scaled(a, -1, b, Int64(layers * width))
    for layer in 0..<layers {
        squares[layer] = rsae_dot(a + layer * width, a + layer * width, Int64(width))
    }
}
