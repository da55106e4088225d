// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "FirstFeatures",
    dependencies: [.package(name: "RouteSAE", path: "../..")],
    targets: [.executableTarget(name: "FirstFeatures", dependencies: [.product(name: "RouteSAE", package: "RouteSAE")])]
)
