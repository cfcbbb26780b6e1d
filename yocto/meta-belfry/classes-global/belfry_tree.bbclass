# Reads what the tree says about itself (version, boards, crates), so that nothing is written twice.

def belfry_read(d, name):
    import tomllib
    path = os.path.join(d.getVar('BELFRY_TREE'), name)
    bb.parse.mark_dependency(d, path)
    with open(path, 'rb') as file:
        return tomllib.load(file)

def belfry_version(d):
    return belfry_read(d, 'Cargo.toml')['workspace']['package']['version']

# One value of the [image] section of the board; lists come as words.
def belfry_board(d, key):
    board = d.getVar('BELFRY_BOARD')
    if not board:
        return ''
    value = belfry_read(d, 'board/%s/board.toml' % board).get('image', {}).get(key, '')
    return ' '.join(value) if isinstance(value, list) else value

# What a bundle tells the box before it installs: the schema of the records that this version writes.
def belfry_schema(d):
    import re
    path = os.path.join(d.getVar('BELFRY_TREE'), 'src/store/migrate.rs')
    bb.parse.mark_dependency(d, path)
    with open(path, encoding='utf-8') as file:
        found = re.search(r'^pub const KNOWN: u32 = (\d+);', file.read(), re.M)
    if not found:
        bb.fatal('%s does not say which schema it knows' % path)
    return found[1]

# The crates of Cargo.lock as sources, each with its checksum.
def belfry_crates(d):
    sources = []
    for package in belfry_read(d, 'Cargo.lock')['package']:
        if 'checksum' in package:
            name, version = package['name'], package['version']
            d.setVarFlag('SRC_URI', '%s-%s.sha256sum' % (name, version), package['checksum'])
            sources.append('crate://crates.io/%s/%s' % (name, version))
    return ' '.join(sources)
