package import LinearAlgebra
import RandomNumbers

/// Places features in a plane so that neighbours come to lie together: t-SNE (van der Maaten, Hinton 2008, JMLR 9) on the
/// graph of their neighbours, with the tree of Barnes and Hut (van der Maaten 2014, JMLR 15) and the learning rate of
/// Belkina et al. (2019, Nature Communications 10).
///
/// All features move at once, each sum has one order, and sums over tiles are taken in the order of the tiles: the bits
/// do not depend on the number of threads.
package struct PlaneLayout: Sendable {
    /// How the layout is computed.
    package struct Settings: Sendable {
        /// Steps in which neighbours attract each other more strongly, so that groups form.
        package var earlySteps = 100
        /// Steps after those.
        package var steps = 250
        /// How much more strongly.
        package var exaggeration: Float = 12
        /// Squares whose side is below this share of their distance count as one point.
        package var accuracy: Float = 0.7

        /// The settings of the map.
        package init() {}
    }

    /// Features of a tile.
    private static let tile = 256

    private let graph: NeighborGraph
    private let settings: Settings

    /// Prepares a layout.
    package init(_ graph: NeighborGraph, settings: Settings = Settings()) {
        (self.graph, self.settings) = (graph, settings)
    }

    /// Computes positions.
    ///
    /// - Parameters:
    ///   - start: `[2 × features]`, all x and then all y; only their shape counts, not their size.
    ///   - cancelled: asked before every step; the positions so far are returned once true.
    /// - Returns: positions, `[2 × features]`, around 0.
    /// - Complexity: steps · features · log features.
    package func positions(
        from start: Matrix, workers: Workers, cancelled: () -> Bool = { false }
    ) -> Matrix {
        let m = graph.count
        precondition(start.rows == 2 && start.columns == m, "a start of [\(start.rows) × \(start.columns)]")
        let state = LayoutState(start: start)
        guard m > 1 else { return state.positions }
        let tree = QuadTree(count: m)
        let rate = max(Float(m) / 12, 200) / 4
        for step in 0..<settings.earlySteps + settings.steps {
            if cancelled() { break }
            let isEarly = step < settings.earlySteps
            tree.build(x: state.positions.row(0), y: state.positions.row(1))
            let total = repulsion(tree, state, workers)
            let attraction = isEarly ? settings.exaggeration : 1
            let momentum: Float = isEarly ? 0.5 : 0.8
            let edges = Edges(graph)
            workers.forEach(m, tile: Self.tile) { features, _ in
                for feature in features {
                    let (pullX, pullY) = edges.attraction(of: feature, state.positions)
                    for (axis, pull) in [(0, pullX), (1, pullY)] {
                        let gradient = 4 * (attraction * pull - state.pushes[axis, feature] / total)
                        state.move(feature, axis, gradient, rate: rate, momentum: momentum)
                    }
                }
            }
            state.apply()
        }
        state.center()
        return state.positions
    }

    /// Sets what pushes each feature away from all others, before its division by the returned sum.
    private func repulsion(_ tree: QuadTree, _ state: LayoutState, _ workers: Workers) -> Float {
        let m = graph.count
        let tiles = (m + Self.tile - 1) / Self.tile
        let sums = Matrix(rows: 1, columns: tiles)
        let accuracy = settings.accuracy
        workers.forEach(m, tile: Self.tile) { places, _ in
            var sum: Float = 0
            for place in places {
                let feature = Int(tree.order[place])
                let push = tree.repulsion(
                    x: state.positions[0, feature], y: state.positions[1, feature], accuracy: accuracy)
                sum += push.total - 1
                state.pushes[0, feature] = push.x
                state.pushes[1, feature] = push.y
            }
            sums.pointer[places.lowerBound / Self.tile] = sum
        }
        let total = (0..<tiles).reduce(0.0) { $0 + Double(sums.pointer[$1]) }
        return Float(max(total, 1e-12))
    }
}

/// The edges of a graph, as the layout reads them.
private struct Edges: Sendable {
    private let graph: NeighborGraph

    init(_ graph: NeighborGraph) { self.graph = graph }

    /// Σ weight · q · (position − other position) over a feature's edges.
    func attraction(of feature: Int, _ positions: Matrix) -> (x: Float, y: Float) {
        let (xs, ys) = (positions.row(0), positions.row(1))
        var (sumX, sumY) = (Float(0), Float(0))
        for edge in graph.starts[feature]..<graph.starts[feature + 1] {
            let other = Int(graph.ends[edge])
            let (dx, dy) = (xs[feature] - xs[other], ys[feature] - ys[other])
            let share = graph.weights[edge] / (1 + dx * dx + dy * dy)
            sumX += share * dx
            sumY += share * dy
        }
        return (sumX, sumY)
    }
}

/// What the layout moves.
private struct LayoutState: Sendable {
    /// `[2 × features]`.
    let positions: Matrix
    /// Repulsion before its division, `[2 × features]`.
    let pushes: Matrix
    private let speeds: Matrix
    private let gains: Matrix

    /// Begins at a start that is centred and made small, so that the first steps can turn everything round.
    init(start: Matrix) {
        let m = start.columns
        positions = start.copy()
        pushes = Matrix(rows: 2, columns: m)
        speeds = Matrix(rows: 2, columns: m)
        gains = Matrix(rows: 2, columns: m)
        gains.fill(1)
        center()
        var square = 0.0
        for place in 0..<m { square += Double(positions.pointer[place]) * Double(positions.pointer[place]) }
        let deviation = (square / Double(max(1, m))).squareRoot()
        let factor = deviation > 0 && deviation.isFinite ? Float(1e-4 / deviation) : 0
        for place in 0..<2 * m {
            // Features in one point would never part: a hundredth of the start by number.
            let apart = (Float(SplitMix64.mixed(UInt64(place)) >> 40) * 0x1p-23 - 1) * 1e-6
            positions.pointer[place] = positions.pointer[place] * factor + apart
        }
    }

    /// Sets a feature's speed along an axis; its gain grows while the gradient keeps its sign (Jacobs 1988).
    func move(_ feature: Int, _ axis: Int, _ gradient: Float, rate: Float, momentum: Float) {
        let place = axis * positions.columns + feature
        let speed = speeds.pointer[place]
        let gain = gradient * speed < 0 ? gains.pointer[place] + 0.2 : max(0.01, gains.pointer[place] * 0.8)
        gains.pointer[place] = gain
        speeds.pointer[place] = momentum * speed - rate * gain * gradient
    }

    /// Moves all features.
    func apply() {
        for place in 0..<2 * positions.columns { positions.pointer[place] += speeds.pointer[place] }
    }

    /// Moves the mean to 0.
    func center() {
        for axis in 0..<2 {
            let row = positions.row(axis)
            var sum = 0.0
            for place in 0..<positions.columns { sum += Double(row[place]) }
            let mean = Float(sum / Double(max(1, positions.columns)))
            for place in 0..<positions.columns { row[place] -= mean }
        }
    }
}
