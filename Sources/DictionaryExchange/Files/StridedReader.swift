import Safetensors

/// Reads elements that do not lie row-major in their file, such as those of a transposed matrix.
///
/// A range of elements is cut into boxes. Of a box, the axes of the smallest strides make up a *run*, which is read at
/// once; the runs of a *band* along the axis whose elements are nearest to each other in the target are put side by
/// side and then copied from there, so that neither the file nor the target is touched element by element. Nothing
/// beyond the two buffers, about 1 MiB, is allocated.
struct StridedReader {
    /// One axis of a box: so many elements, and the elements between neighbours in the file and in the target.
    struct Axis {
        var extent: Int
        let fileStride: Int
        let targetStride: Int
    }

    /// The most elements in the file from a run's first to its last.
    private static let runElements = 1 << 12
    /// The most runs of a band.
    private static let bandRuns = 1 << 6
    /// A gap in the file of this many elements is read rather than left out.
    private static let readGap = 1 << 10

    private let tensor: StoredTensor
    private let file: ReadableFile
    private let targetStrides: [Int]
    private var bytes: [UInt8] = []
    private var band = [Float](repeating: 0, count: runElements * bandRuns)

    /// Makes a reader of one tensor that has elements.
    init(_ tensor: StoredTensor, file: ReadableFile) {
        self.tensor = tensor
        self.file = file
        targetStrides = StoredTensor.rowMajor(tensor.entry.shape)
        bytes = [UInt8](repeating: 0, count: Self.runElements * tensor.entry.dtype.byteCount)
    }

    /// Reads a range of elements, counted row-major over the shape.
    ///
    /// - Throws: if the file cannot be read or has become shorter.
    mutating func read(
        _ elements: Range<Int>, into target: UnsafeMutablePointer<Float>
    ) throws(SafetensorsError) {
        try readAxis(0, elements, place: 0, into: target)
    }

    /// Reads a range of the elements of the axes from one on, for fixed indices of those before it, which begin at
    /// `place` in the storage. As deep as there are dimensions.
    private mutating func readAxis(
        _ axis: Int, _ elements: Range<Int>, place: Int, into target: UnsafeMutablePointer<Float>
    ) throws(SafetensorsError) {
        let shape = tensor.entry.shape
        guard axis < shape.count else { return try readBox([], place: place, into: target) }
        let size = targetStrides[axis]
        var first = elements.lowerBound
        // The end of a row whose beginning is not asked for.
        if first % size != 0 || elements.upperBound < first + size {
            let index = first / size
            let end = min(elements.upperBound, (index + 1) * size)
            let part = first - index * size..<end - index * size
            try readAxis(axis + 1, part, place: place + index * tensor.strides[axis], into: target)
            first = end
        }
        let whole = (elements.upperBound - first) / size
        if whole > 0 {
            let axes = (axis..<shape.count).map {
                Axis(
                    extent: $0 == axis ? whole : shape[$0], fileStride: tensor.strides[$0],
                    targetStride: targetStrides[$0])
            }
            let start = place + first / size * tensor.strides[axis]
            try readBox(axes.filter { $0.extent > 1 }, place: start, into: target + (first - elements.lowerBound))
            first += whole * size
        }
        if first < elements.upperBound {
            let index = first / size
            try readAxis(
                axis + 1, 0..<elements.upperBound - first, place: place + index * tensor.strides[axis],
                into: target + (first - elements.lowerBound))
        }
    }

    /// Reads all elements of a box whose first lies at `place` in the storage.
    private mutating func readBox(
        _ box: [Axis], place: Int, into target: UnsafeMutablePointer<Float>
    ) throws(SafetensorsError) {
        // The smallest stride is last; strides of 0 repeat what was read and come first.
        var outer = box.sorted {
            ($0.fileStride == 0 ? .max : $0.fileStride) > ($1.fileStride == 0 ? .max : $1.fileStride)
        }
        var run: [Axis] = []
        var reach = 0
        while let axis = outer.last, axis.fileStride > 0, axis.fileStride <= 2 * (reach + 1) + Self.readGap {
            let fitting = (Self.runElements - 1 - reach) / axis.fileStride + 1
            if axis.extent <= fitting {
                outer.removeLast()
                run.append(axis)
                reach += (axis.extent - 1) * axis.fileStride
                continue
            }
            // The axis is cut: its parts are an axis of their own.
            guard fitting > 1 else { break }
            try readParts(of: axis, length: fitting, run: run, outer: outer.dropLast(), place: place, into: target)
            return
        }
        try readBands(run: run, outer: outer, place: place, into: target)
    }

    /// Reads a box whose innermost axis is longer than a run, part after part.
    private mutating func readParts(
        of axis: Axis, length: Int, run: [Axis], outer: ArraySlice<Axis>, place: Int,
        into target: UnsafeMutablePointer<Float>
    ) throws(SafetensorsError) {
        for first in stride(from: 0, to: axis.extent, by: length) {
            var part = axis
            part.extent = min(length, axis.extent - first)
            try readBands(
                run: run + [part], outer: Array(outer), place: place + first * axis.fileStride,
                into: target + first * axis.targetStride)
        }
    }

    /// Reads a box, its run given, band after band.
    private mutating func readBands(
        run: [Axis], outer: [Axis], place: Int, into target: UnsafeMutablePointer<Float>
    ) throws(SafetensorsError) {
        var outer = outer
        let nearest = outer.indices.min { outer[$0].targetStride < outer[$1].targetStride }
        let banded = nearest.map { outer.remove(at: $0) } ?? Axis(extent: 1, fileStride: 0, targetStride: 0)
        var indices = [Int](repeating: 0, count: outer.count)
        while true {
            let filePlace = zip(indices, outer).reduce(place) { $0 + $1.0 * $1.1.fileStride }
            let targetPlace = zip(indices, outer).reduce(0) { $0 + $1.0 * $1.1.targetStride }
            for first in stride(from: 0, to: banded.extent, by: Self.bandRuns) {
                var part = banded
                part.extent = min(Self.bandRuns, banded.extent - first)
                try readBand(
                    run: run, runs: part, place: filePlace + first * banded.fileStride,
                    into: target + targetPlace + first * banded.targetStride)
            }
            guard let axis = indices.indices.last(where: { indices[$0] + 1 < outer[$0].extent }) else { return }
            indices[axis] += 1
            for later in indices.indices where later > axis { indices[later] = 0 }
        }
    }

    /// Reads the runs of a band and copies their elements to the target.
    private mutating func readBand(
        run: [Axis], runs: Axis, place: Int, into target: UnsafeMutablePointer<Float>
    ) throws(SafetensorsError) {
        let dtype = tensor.entry.dtype
        let length = run.reduce(1) { $0 + ($1.extent - 1) * $1.fileStride }
        for index in 0..<runs.extent {
            if index > 0, runs.fileStride == 0 {
                for element in 0..<length { band[index * length + element] = band[element] }
                continue
            }
            let offset = tensor.start + (place + index * runs.fileStride) * dtype.byteCount
            try readRun(at: offset, length: length, into: index * length)
        }
        let axes = run.map { (extent: $0.extent, from: $0.fileStride, to: $0.targetStride) }
        let across = (extent: runs.extent, from: length, to: runs.targetStride)
        copy((axes + [across]).filter { $0.extent > 1 }.sorted { $0.to > $1.to }, into: target)
    }

    /// Reads neighbouring elements of the file into the band.
    private mutating func readRun(at offset: Int, length: Int, into place: Int) throws(SafetensorsError) {
        let count = length * tensor.entry.dtype.byteCount
        let dtype = tensor.entry.dtype
        let file = file
        var failure: SafetensorsError?
        bytes.withUnsafeMutableBytes { bytes in
            let piece = UnsafeMutableRawBufferPointer(rebasing: bytes[..<count])
            do throws(SafetensorsError) { try file.read(at: offset, into: piece) } catch { failure = error }
        }
        if let failure { throw failure }
        bytes.withUnsafeBytes { bytes in
            band.withUnsafeMutableBufferPointer { band in
                guard let base = band.baseAddress else { return }
                ElementConversion.floats(
                    UnsafeRawBufferPointer(rebasing: bytes[..<count]), dtype: dtype, into: base + place)
            }
        }
    }

    /// Copies elements of the band to the target, along axes whose last is the target's nearest.
    private func copy(
        _ axes: [(extent: Int, from: Int, to: Int)], into target: UnsafeMutablePointer<Float>
    ) {
        band.withUnsafeBufferPointer { band in
            let inner = axes.last ?? (extent: 1, from: 0, to: 0)
            let outer = axes.dropLast()
            var indices = [Int](repeating: 0, count: outer.count)
            var from = 0
            var to = 0
            while true {
                for index in 0..<inner.extent { target[to + index * inner.to] = band[from + index * inner.from] }
                var axis = outer.count - 1
                while axis >= 0 {
                    indices[axis] += 1
                    from += outer[axis].from
                    to += outer[axis].to
                    if indices[axis] < outer[axis].extent { break }
                    from -= indices[axis] * outer[axis].from
                    to -= indices[axis] * outer[axis].to
                    indices[axis] = 0
                    axis -= 1
                }
                if axis < 0 { return }
            }
        }
    }
}
