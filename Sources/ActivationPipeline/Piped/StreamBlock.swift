import Safetensors

/// A block of a stream: its rows' bytes, whose checksum was found right.
final class StreamBlock {
    /// The bytes; room for a full block.
    let memory: UnsafeMutableRawBufferPointer
    /// Its first row among those of the whole text.
    var firstRow = 0
    /// Its rows.
    var rows = 0
    /// SHA-256 of frame and rows, as the stream gives it.
    var checksum: [UInt8] = []

    private let header: ActivationStreamHeader

    init(_ header: ActivationStreamHeader) {
        self.header = header
        memory = .allocate(byteCount: header.blockRows * header.rowBytes, alignment: 64)
    }

    deinit { memory.deallocate() }

    /// The vocabulary id of a row.
    func token(_ row: Int) -> Int64 { integer(8 * row) }

    /// The document of a row.
    func document(_ row: Int) -> Int64 { integer(8 * (rows + row)) }

    /// The mark of a row: 1 for a token put before a text, 0 for others.
    func mark(_ row: Int) -> UInt8 { memory[rows * (header.rowBytes - 1) + row] }

    /// The stored activations `[width]` of a row at the layer of a place among the header's.
    func activations(_ row: Int, layer place: Int) -> UnsafeRawBufferPointer {
        let bytes = header.dModel * header.dtype.byteCount
        let start = 16 * rows + (row * header.layers.count + place) * bytes
        return UnsafeRawBufferPointer(rebasing: memory[start..<start + bytes])
    }

    private func integer(_ offset: Int) -> Int64 {
        Int64(littleEndian: memory.loadUnaligned(fromByteOffset: offset, as: Int64.self))
    }
}
