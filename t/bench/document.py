def run(directory, plot):
    pass
