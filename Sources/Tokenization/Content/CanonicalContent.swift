/// Collects the bytes that represent a tokenizer and delivers them in stretches.
struct CanonicalContent {
    private var bytes: [UInt8] = []
    private let body: (UnsafeRawBufferPointer) -> Void

    init(_ body: @escaping (UnsafeRawBufferPointer) -> Void) {
        self.body = body
    }

    mutating func add(_ numbers: Int...) {
        for number in numbers {
            withUnsafeBytes(of: Int64(number).littleEndian) { bytes.append(contentsOf: $0) }
        }
        if bytes.count > 1 << 20 { flush() }
    }

    mutating func add(_ flags: Bool...) {
        for flag in flags { add(flag ? 1 : 0) }
    }

    /// Adds text or bytes with their count in front.
    mutating func add(_ text: some Collection<UInt8>) {
        add(text.count)
        bytes.append(contentsOf: text)
    }

    mutating func add(_ name: String) { add(name.utf8) }

    mutating func flush() {
        bytes.withUnsafeBytes(body)
        bytes.removeAll(keepingCapacity: true)
    }
}
